"""A search that cannot find is worth nothing: every shape it claims to know is found, and nothing else."""

import base64
import gzip
import json
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.at_rest.forms import ENCODINGS, Marks

WORD, DIGITS = "貔貅獬豸饕餮", "735192640817"
MARKS = Marks((WORD, DIGITS))


@given(word=st.sampled_from([WORD, DIGITS]), before=st.binary(max_size=40), after=st.binary(max_size=40),
       encoding=st.sampled_from(ENCODINGS))  # fmt: skip
def test_a_word_is_found_in_every_encoding_wherever_it_stands(
    word: str, before: bytes, after: bytes, encoding: str
) -> None:
    raw = before + word.encode(encoding) + after

    assert MARKS.seen(raw)
    assert MARKS.seen(raw.hex().encode())
    assert MARKS.seen(raw.hex().upper().encode())
    assert MARKS.seen(base64.b64encode(raw))
    assert MARKS.seen(base64.urlsafe_b64encode(raw))
    assert MARKS.seen_within(b"x" * 7 + zlib.compress(raw) + b"y")
    assert MARKS.seen_compressed(b"x" * 7 + gzip.compress(raw))
    assert MARKS.seen_within(b"=" + base64.b64encode(zlib.compress(raw)) + b"=")


@pytest.mark.parametrize("text", [
    json.dumps({"name": WORD}), json.dumps(json.dumps({"name": WORD})), json.dumps(WORD).upper().replace("\\U", "\\u"),
    quote(WORD), quote(WORD).lower(),
    "".join(f"&#{ord(one)};" for one in WORD), "".join(f"&#x{ord(one):x};" for one in WORD),
])  # fmt: skip
def test_an_escaped_word_is_found(text: str) -> None:
    assert MARKS.seen(text.encode())


@given(st.binary(max_size=2000))
def test_nothing_is_found_where_nothing_is(content: bytes) -> None:
    assert MARKS.seen_within(content) == []
    assert MARKS.seen_compressed(content) == []
