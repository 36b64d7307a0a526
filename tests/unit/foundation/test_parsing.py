from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta

from foundation.errors import AppError, BadRequest, Invalid
from foundation.web.parsing import decode, decode_query, iso_day

Count = Annotated[int, Meta(ge=1, le=5)]
Word = Annotated[str, Meta(min_length=2, max_length=4)]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    days: Count
    note: Word = "无无"


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: Word
    lines: list[Line]
    code: Annotated[str, Meta(pattern="^[a-z]+$")] = "a"
    urgent: bool = False


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    page: Count = 1
    person: UUID | None = None


GOOD = {"id": "01930000-0000-7000-8000-000000000001", "name": "处方", "lines": [{"days": 3}]}


def issues(body: Any) -> list[tuple[str, str]]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(Invalid) as refused:
        decode(raw, Sheet)
    assert all(issue.message for issue in refused.value.issues)
    return [(issue.field, issue.code) for issue in refused.value.issues]


def test_a_right_body_is_read() -> None:
    assert decode(msgspec.json.encode(GOOD), Sheet).lines == [Line(3)]


def test_every_wrong_field_is_named_at_once() -> None:
    body = {"id": "7", "name": "啊", "lines": "x", "code": "A1", "urgent": "yes", "extra": 1}

    assert sorted(issues(body)) == [
        ("code", "wrong_format"), ("extra", "unknown_field"), ("id", "wrong_type"), ("lines", "wrong_type"),
        ("name", "too_short"), ("urgent", "wrong_type"),
    ]  # fmt: skip


def test_what_is_missing_is_named() -> None:
    assert issues({}) == [("id", "missing"), ("name", "missing"), ("lines", "missing")]
    assert issues(b"") == issues({})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"days": 9}, ("lines.1.days", "too_large")),
        ({"days": 0}, ("lines.1.days", "too_small")),
        ({"days": 1.5}, ("lines.1.days", "wrong_type")),
        ({"days": 1, "note": "一二三四五"}, ("lines.1.note", "too_long")),
        ({"note": "无无"}, ("lines.1.days", "missing")),
        ({"days": 1, "dose": 3}, ("lines.1.dose", "unknown_field")),
        ("x", ("lines.1", "wrong_type")),
    ],
)
def test_a_wrong_field_inside_a_list_is_named_by_its_path(line: Any, expected: tuple[str, str]) -> None:
    assert issues({**GOOD, "lines": [{"days": 1}, line]}) == [expected]


def test_the_words_say_what_is_allowed() -> None:
    with pytest.raises(Invalid) as refused:
        decode(msgspec.json.encode({**GOOD, "name": "一二三四五"}), Sheet)

    assert refused.value.issues[0].message == "最多 4 个字"


@pytest.mark.parametrize(
    "raw",
    [
        b"{", b"[1", b'{"id":', b"\xff\xfe", b'{"name": "\\ud800"}', b'{"name": "x", "id": 1e999}', b"nonsense", b"NaN",
        b"[" * 100_000, b'{"a":' * 100_000, b'{"lines": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
    ids=lambda raw: repr(raw[:16]),
)  # fmt: skip
def test_what_is_no_json_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(raw, Sheet)

    assert (refused.value.status, refused.value.code) == (400, "malformed_json")


def status_of(raw: bytes) -> int:
    try:
        decode(raw, Sheet)
    except AppError as refused:
        return refused.status
    return 200


@given(st.binary(max_size=60))
@example(b'{"id":1,"name":"\\u0000"}')
@example(b'{"name": "a", "name": "b"}')
def test_no_bytes_at_all_are_our_fault(raw: bytes) -> None:
    assert status_of(raw) in (200, 400, 422)


def test_a_text_with_a_zero_character_is_refused_by_its_path() -> None:
    class Free(msgspec.Struct, frozen=True):
        words: list[str]
        name: str = ""

    with pytest.raises(Invalid) as refused:
        decode(b'{"words": ["a", "b\\u0000"], "name": "\\u0000"}', Free)

    assert [issue.field for issue in refused.value.issues] == ["words.1", "name"]
    assert decode(b'{"words": ["\\\\u0000"]}', Free).words == ["\\u0000"]


def test_a_body_that_is_no_object_is_one_issue() -> None:
    assert issues(b"[]") == [("", "wrong_type")]


def test_a_query_is_read_by_its_types() -> None:
    query = decode_query({"page": "3", "person": GOOD["id"]}, Query)  # type: ignore[dict-item]

    assert query == Query(3, UUID(str(GOOD["id"])))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"page": "9"}, [("page", "too_large")]),
        ({"page": "x", "person": "7"}, [("page", "wrong_type"), ("person", "wrong_type")]),
        ({"pages": "1"}, [("pages", "unknown_field")]),
        ({"person": "a\0"}, [("person", "wrong_format")]),
    ],
)
def test_a_wrong_query_names_every_field(query: dict[str, str], expected: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid) as refused:
        decode_query(query, Query)

    assert sorted((issue.field, issue.code) for issue in refused.value.issues) == expected


def test_a_day_is_written_as_iso() -> None:
    assert iso_day("2026-11-20").day == 20
    for text in ("20.11.2026", "2026-13-01", ""):
        with pytest.raises(Invalid) as refused:
            iso_day(text)
        assert refused.value.issues[0].field == "day"
