"""Checks a record against its table before it is sent: everything wrong at once, by field."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from foundation.errors import Issue
from regulator_adapter.codesets import Unknown
from regulator_adapter.profiles.reading import Field, Method, Profile

CLIP_MARK = "…（全文见医院）"
_ICD = re.compile(r"[A-Z][0-9]{2}(\.[0-9A-Za-z]+)?[+*]?")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_SPAN = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}-\d{2}:\d{2}")
_HEX = re.compile(r"[0-9a-f]*")

Checker = Callable[[Profile, Method, Field, Any], str]
"""Returns the code of what is wrong, or nothing."""

_WORDS = {
    "missing": "缺少必填字段",
    "too_long": "超过规定长度",
    "unknown_code": "代码不在平台代码表中",
    "malformed": "格式不正确",
    "out_of_range": "超出允许范围",
    "unknown_field": "平台没有此字段",
}


def check(profile: Profile, method: Method, record: Mapping[str, Any]) -> tuple[dict[str, Any], list[Issue]]:
    """`record` without its empty fields and with long free texts clipped, and all that is wrong with it."""
    return _object(profile, method, method.fields, record, "")


def _object(
    profile: Profile, method: Method, fields: Sequence[Field], record: Mapping[str, Any], path: str
) -> tuple[dict[str, Any], list[Issue]]:
    clean: dict[str, Any] = {}
    known = {field.name for field in fields}
    issues = [_issue(path + name, "unknown_field") for name in record if name not in known]
    filled = {name: value for name, value in record.items() if not _empty(value)}
    for field in fields:
        if field.name not in filled:
            if field.mandatory(filled):
                issues.append(_issue(path + field.name, "missing"))
            continue
        value = filled[field.name]
        if field.kind == "list":
            clean[field.name] = []
            for at, entry in enumerate(value):
                inner, wrong = _object(
                    profile, method, method.lists[field.name], entry, f"{path}{field.name}[{at}]."
                )
                clean[field.name].append(inner)
                issues += wrong
            continue
        if field.clip:
            value = _clip(value, int(field.argument))
        wrong_code = _value(profile, method, field, value)
        if wrong_code:
            issues.append(_issue(path + field.name, wrong_code, value))
        clean[field.name] = value
    return clean, issues


def _empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _clip(value: Any, length: int) -> Any:
    if not isinstance(value, str) or len(value) <= length:
        return value
    return value[: length - len(CLIP_MARK)] + CLIP_MARK


def _issue(field: str, code: str, value: Any = None) -> Issue:
    words = _WORDS[code]
    return Issue(field, code, f"{words}：{value.value[:60]!r}" if isinstance(value, Unknown) else words)


def _value(profile: Profile, method: Method, field: Field, value: Any) -> str:
    if isinstance(value, Unknown):
        return "unknown_code"
    if isinstance(value, str) and "\0" in value:
        return "malformed"
    return _CHECKERS[field.kind](profile, method, field, value)


def _text(_: Profile, __: Method, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        return "malformed"
    return "too_long" if len(value) > int(field.argument) else ""


def _strings(profile: Profile, method: Method, field: Field, value: Any) -> str:
    if not isinstance(value, list):
        return "malformed"
    return next((wrong for entry in value if (wrong := _text(profile, method, field, entry))), "")


def _code(profile: Profile, _: Method, field: Field, value: Any) -> str:
    return "" if value in profile.codes[field.argument] else "unknown_code"


def _codes(profile: Profile, method: Method, field: Field, value: Any) -> str:
    if any(isinstance(entry, Unknown) for entry in value):
        return "unknown_code"
    return next((wrong for entry in value if (wrong := _code(profile, method, field, entry))), "")


def _subject(profile: Profile, _: Method, __: Field, value: Any) -> str:
    known = re.fullmatch(r"\d\d(\.\d\d)?", str(value)) and str(value)[:2] in profile.codes["subject"]
    return "" if known else "unknown_code"


def _subjects(profile: Profile, method: Method, field: Field, value: Any) -> str:
    return next((wrong for entry in value if (wrong := _subject(profile, method, field, entry))), "")


def _drug_class(profile: Profile, _: Method, __: Field, value: Any) -> str:
    known = re.fullmatch(r"(\d\d){1,3}", str(value)) and str(value)[:2] in profile.codes["drugClass"]
    return "" if known else "unknown_code"


def _icd(_: Profile, __: Method, ___: Field, value: Any) -> str:
    return "" if _ICD.fullmatch(str(value)) else "malformed"


def _icds(_: Profile, __: Method, ___: Field, value: Any) -> str:
    return "" if all(_ICD.fullmatch(part) for part in str(value).split("|")) else "malformed"


def _integer(_: Profile, __: Method, field: Field, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "malformed"
    low, high = field.argument.split("..")
    return "out_of_range" if value < int(low) or (high and value > int(high)) else ""


def _fen(_: Profile, __: Method, ___: Field, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "malformed"
    return "out_of_range" if value < 0 else ""


def _decimal(_: Profile, __: Method, field: Field, value: Any) -> str:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return "malformed"
    precision, scale = map(int, field.argument.split(","))
    whole, _dot, part = value.partition(".")
    return "out_of_range" if len(part) > scale or len(whole) > precision - scale else ""


def _as(format_: str) -> Checker:
    def checker(_: Profile, __: Method, ___: Field, value: Any) -> str:
        try:
            datetime.strptime(value, format_)  # noqa: DTZ007 - only the form is looked at
        except (TypeError, ValueError):
            return "malformed"
        return ""

    return checker


def _iso(_: Profile, __: Method, ___: Field, value: Any) -> str:
    try:
        return "" if datetime.fromisoformat(value).tzinfo else "malformed"
    except (TypeError, ValueError):
        return "malformed"


def _date(_: Profile, __: Method, ___: Field, value: Any) -> str:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return "malformed"
    return ""


def _matching(pattern: re.Pattern[str]) -> Checker:
    def checker(_: Profile, __: Method, ___: Field, value: Any) -> str:
        return "" if isinstance(value, str) and pattern.fullmatch(value) else "malformed"

    return checker


def _hex(_: Profile, __: Method, field: Field, value: Any) -> str:
    known = isinstance(value, str) and len(value) == int(field.argument) and _HEX.fullmatch(value)
    return "" if known else "malformed"


def _event_type(_: Profile, method: Method, __: Field, value: Any) -> str:
    return "" if value in method.events or method.events == ("*",) else "unknown_code"


_CHECKERS: dict[str, Checker] = {
    "text": _text,
    "texts": _text,
    "certificate": _text,
    "strings": _strings,
    "code": _code,
    "codes": _codes,
    "subject": _subject,
    "subjects": _subjects,
    "drugclass": _drug_class,
    "icd": _icd,
    "icds": _icds,
    "integer": _integer,
    "fen": _fen,
    "decimal": _decimal,
    "time": _as("%Y-%m-%d %H:%M:%S"),
    "date": _date,
    "span": _matching(_SPAN),
    "iso": _iso,
    "hex": _hex,
    "eventtype": _event_type,
}
