"""Request bytes and queries into typed structs, naming every field that is wrong."""

import datetime as dt
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request

from foundation.errors import BadRequest, Invalid, Issue, NotFound, TooLarge

T = TypeVar("T")
MAX_BODY = 1_000_000
_WORDS = (
    ("length <=", "too_long", "最多 {} 个字"),
    ("length >=", "too_short", "至少 {} 个字"),
    ("matching regex", "wrong_format", "格式不正确"),
    (">", "too_small", "不能小于 {}"),
    ("<", "too_large", "不能大于 {}"),
    ("invalid enum", "not_allowed", "不在可选范围内"),
)
"""What msgspec says → our code and words; the first mark that occurs wins."""


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The raw body; `TooLarge` over `limit` bytes, whether announced or not."""
    if (
        (announced := request.headers.get("content-length"))
        and announced.isdigit()
        and int(announced) > limit
    ):
        raise TooLarge(f"内容不能超过 {limit // 1000} KB")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(f"内容不能超过 {limit // 1000} KB")
        parts.append(part)
    return b"".join(parts)


def decode(raw: bytes, kind: type[T]) -> T:
    """`raw` JSON as `kind`; `BadRequest` when it is not JSON, `Invalid` with all issues when fields are wrong."""
    try:
        found = msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise Invalid(issues=_issues(_plain(raw), kind, error)) from None
    except _NOT_JSON as error:
        raise _not_json(error) from None
    if b"\\u0000" in raw and (issues := list(_nul_issues(_plain(raw), ""))):
        raise Invalid(issues=issues)
    return found


def decode_query(query: Mapping[str, str], kind: type[T]) -> T:
    """A query string as `kind`, texts converted to the declared types."""
    plain = dict(query)
    if issues := list(_nul_issues(plain, "")):
        raise Invalid(issues=issues)
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(issues=_issues(plain, kind, error, strict=False)) from None


_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _plain(raw: bytes) -> Any:
    """`raw` without a type: what is no JSON at all is found only here when the typed decoder stopped early."""
    try:
        return msgspec.json.decode(raw or b"{}")
    except _NOT_JSON as error:
        raise _not_json(error) from None


def _not_json(error: Exception) -> BadRequest:
    why = "嵌套过深" if isinstance(error, RecursionError) else str(error)
    return BadRequest(f"不是有效的 JSON：{why}", code="malformed_json")


def _nul_issues(value: Any, path: str) -> Iterator[Issue]:
    """Texts with U+0000: PostgreSQL stores none, and no person types one."""
    if isinstance(value, str):
        if "\0" in value:
            yield Issue(path, "wrong_format", "含有不能识别的字符")
        return
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from _nul_issues(part, f"{path}.{name}".lstrip("."))


def path_id(request: Request, name: str) -> UUID:
    """The UUID in the path; `NotFound` when it is none, as for any unknown id."""
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise NotFound from None


def _issues(plain: Any, kind: Any, error: msgspec.ValidationError, *, strict: bool = True) -> list[Issue]:
    """Every wrong top-level field on its own; msgspec itself stops at the first."""
    if not isinstance(plain, dict) or not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
        return [_issue("", error)]
    found: list[Issue] = []
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    found += [Issue(name, "unknown_field", "不认识的字段") for name in plain if name not in fields]
    for name, field in fields.items():
        if name not in plain:
            if field.required:
                found.append(Issue(name, "missing", "必填"))
            continue
        try:
            msgspec.convert(plain[name], hints[field.name], strict=strict)
        except msgspec.ValidationError as wrong:
            found.append(_issue(name, wrong))
    return found or [_issue("", error)]


def _issue(name: str, error: msgspec.ValidationError) -> Issue:
    """msgspec's `… - at `$.items[0].days`` as a dotted path and a code."""
    text, _, place = str(error).partition(" - at `")
    path = place.rstrip("`").removeprefix("$").replace("[", ".").replace("]", "").lstrip(".")
    if "unknown field" in text:
        unknown = text.rsplit("`", 2)[1]
        return Issue(".".join(filter(None, (name, path, unknown))), "unknown_field", "不认识的字段")
    if "missing required field" in text:
        missing = text.rsplit("`", 2)[1]
        return Issue(".".join(filter(None, (name, path, missing))), "missing", "必填")
    return Issue(".".join(filter(None, (name, path))), *_in_words(text))


def _in_words(text: str) -> tuple[str, str]:
    low = text.lower()
    for mark, code, words in _WORDS:
        if mark in low:
            return code, words.format(_number(low))
    return "wrong_type", "格式不正确"


def _number(text: str) -> str:
    digits = [word for word in text.replace("`", " ").split() if word.lstrip("-").isdigit()]
    return digits[-1] if digits else ""


def iso_day(text: str) -> dt.date:
    """`2026-11-22` as a date; `Invalid` otherwise."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(issues=[Issue("day", "wrong_format", "日期格式应为 2026-11-22")]) from None
