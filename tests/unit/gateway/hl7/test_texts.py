r"""Letters, separators and escape sequences: nothing that a laboratory wrote is lost or turned into something else."""

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from front_gateway.dialects.hl7v2.charsets import BadCharset, Charset, decoded
from front_gateway.dialects.hl7v2.escapes import UNREADABLE, USUAL, Separators, escaped, unescaped
from front_gateway.dialects.hl7v2.message import (
    BadMessage,
    Segment,
    day,
    header,
    joined,
    line,
    parsed,
    written,
)
from tests.unit.gateway.hl7.people import NOW

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
MARKS = st.lists(st.sampled_from("|^~\\&$%*?@#!+="), min_size=5, max_size=5, unique=True).map("".join)


@given(TEXT, MARKS)
def test_what_is_escaped_comes_back_with_its_lines_under_any_separators(text: str, marks: str) -> None:
    separators = Separators(*marks)

    there = escaped(text, separators)

    assert unescaped(there, separators) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert not set(there) & set(marks) - {separators.escape}


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (r"10\S\9/L", "10^9/L"), (r"a\F\b\R\c\T\d\E\e", "a|b~c&d\\e"), (r"\X20AC\\XE5BCA0\张", r"\X20AC\张张"),
        (r"一\.br\二\.sp2\三", "一\n二\n\n三"), (r"\H\危急\N\值", "危急值"), (r"\.in+4\缩\.sk3\进", "缩   进"),
        (r"\.sk999\x", " " * 40 + "x"), (r"\.sk50000000\x", r"\.sk50000000\x"), (r"5\6", r"5\6"), (r"C:\temp\x", r"C:\temp\x"),
        (r"\C2842\\M2442\ ", f"{UNREADABLE}{UNREADABLE} "), (r"\Zxx\ ", r"\Zxx\ "), ("\\", "\\"), ("", ""),
    ],
)  # fmt: skip
def test_escape_sequences_of_laboratories(raw: str, meant: str) -> None:
    assert unescaped(raw) == meant


@given(st.text(st.characters(codec="gb18030", blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_gb18030_is_read_although_its_second_bytes_look_like_separators(text: str) -> None:
    segments = [
        header("ORU^R01", "1", "LIS", NOW, Charset.GB18030),
        line("OBX", "1", "ST", "", "", joined(text)),
    ]

    message = parsed(written(segments, Charset.GB18030), Charset.UTF_8)

    assert message.first("OBX").plain(message.first("OBX").raw(5)) == text


@pytest.mark.parametrize(
    ("named", "codec", "default", "read_as"),
    [
        ("UNICODE UTF-8", "utf-8", Charset.GB18030, "utf-8"), ("GB 18030-2000", "gb18030", Charset.UTF_8, "gb18030"),
        ("", "gb18030", Charset.GB18030, "gb18030"), ("", "utf-8", Charset.UTF_8, "utf-8"), ("gbk", "gb18030", Charset.UTF_8, "gb18030"),
        ("UNICODE UTF-8~GB 18030-2000", "utf-8", Charset.UTF_8, "utf-8"),
    ],
)  # fmt: skip
def test_msh_18_says_the_letters_and_the_system_says_them_otherwise(
    named: str, codec: str, default: Charset, read_as: str
) -> None:
    raw = rf"MSH|^~\&|检验科|医院||||||||||||||{named}".encode(codec)

    text, found = decoded(raw, default)

    assert (found, "检验科" in text) == (read_as, True)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (rb"MSH|^~\&|x|||||||||||||||KOI-8", "not known"),
        (rb"MSH|^~\&|x|||||||||||||||UNICODE UTF-8|" + b"\rPID|\xff\xfe", "not in utf-8"),
        (b"MSH|^~\\&|\xff\xfe", "names nothing else"),
    ],
)
def test_other_letters_are_not_guessed(raw: bytes, words: str) -> None:
    with pytest.raises(BadCharset, match=words):
        decoded(raw, Charset.UTF_8)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "begin with MSH"), (b"PID|1", "begin with MSH"), (b"MSH|^^^^|x", "separators"), (b"MSH|^|xxxxx", "separators"),
        (b"MSHa^~b&axxx", "separators"), (b"MSH|^~\\&|a\rMSH|^~\\&|b", "two messages"),
        (b"MSH|^~\\&|a" + b"\rOBX|1" * 20_001, "too many segments"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_said(raw: bytes, words: str) -> None:
    with pytest.raises(BadMessage, match=words):
        parsed(raw, Charset.UTF_8)


@given(st.binary(max_size=120))
def test_no_bytes_whatever_make_anything_but_a_message_or_a_refusal(raw: bytes) -> None:
    for one in (raw, b"MSH|^~\\&|" + raw):
        try:
            parsed(one, Charset.GB18030)
        except BadMessage:
            continue


def test_a_line_feed_inside_a_text_belongs_to_it_and_line_feeds_may_end_segments() -> None:
    inside = parsed("MSH|^~\\&|a\rOBX|1|FT|||第一行\n第二行|x\r".encode(), Charset.UTF_8)
    ending = parsed(b"MSH|^~\\&|a\nPID|1||P1\nOBX|1\n", Charset.UTF_8)

    assert inside.first("OBX").raw(5) == "第一行\n第二行"
    assert [one.name for one in ending.segments] == ["MSH", "PID", "OBX"]


@given(
    st.lists(
        TEXT.map(lambda text: "".join(one for one in text if one.isprintable()).strip()),
        min_size=1,
        max_size=5,
    )
)
def test_what_we_write_a_library_of_others_reads(parts: list[str]) -> None:
    segments = [header("QRY^R02", "1", "LIS", NOW, Charset.UTF_8), line("QRD", joined(*parts), "R")]

    theirs = hl7.parse(written(segments, Charset.UTF_8).decode())

    assert (theirs["MSH"][0][9][0][0][0], theirs["MSH"][0][10][0]) == ("QRY", "1")
    raw = str(theirs["QRD"][0][1])
    ours = Segment("QRD", ("QRD", raw), USUAL)
    assert [ours.of(raw, place) for place in range(1, len(parts) + 1)] == parts


@pytest.mark.parametrize(
    ("text", "is_day"),
    [("20260304", True), ("20260304101500.1234+0800", True), ("202603041015", True), ("20261304", False), ("2026", False), ("", False)],
)  # fmt: skip
def test_a_day_is_read_from_any_precision_that_has_one(text: str, is_day: bool) -> None:
    assert (day(text) is not None) is is_day
