import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.canonical import canonical, sha256

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class Sheet(msgspec.Struct, frozen=True):
    number: int
    name: str
    day: date
    at: datetime
    id: UUID


def test_keys_are_sorted_without_white_space_in_plain_utf8() -> None:
    assert (
        canonical({"b": [1, True, None], "a": "处方\n", "啊": "x"})
        == '{"a":"处方\\n","b":[1,true,null],"啊":"x"}'.encode()
    )


def test_a_struct_has_the_bytes_of_its_plain_form() -> None:
    sheet = Sheet(3, "林秀兰", date(2026, 11, 20), datetime(2026, 11, 20, 1, 0, tzinfo=UTC), UUID(int=7))

    assert json.loads(canonical(sheet)) == {
        "number": 3, "name": "林秀兰", "day": "2026-11-20", "at": "2026-11-20T01:00:00Z",
        "id": "00000000-0000-0000-0000-000000000007",
    }  # fmt: skip


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, [[float("nan")]]])
def test_a_float_is_refused_however_deep(value: object) -> None:
    with pytest.raises(TypeError, match="no floats"):
        canonical(value)


@given(PLAIN)
def test_any_json_library_makes_the_same_bytes_again(value: Any) -> None:
    raw = canonical(value)

    assert canonical(json.loads(raw)) == raw


@given(PLAIN)
def test_the_bytes_are_those_of_the_standard_library(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    assert canonical(value) == text.encode()


@given(st.dictionaries(st.text(max_size=6), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_the_digest_is_sha_256() -> None:
    assert sha256(b"abc") == hashlib.sha256(b"abc").digest()
