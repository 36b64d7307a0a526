"""One check for each kind of value a field table names: a reason in words, or None."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from simulators.supervision.tables import CODES, Kind

LARGEST = 2**53 - 1
EARLIEST, LATEST = 1850, 2200  # years: nobody was born earlier, nothing is valid longer
_ICD = re.compile(r"[A-Z]\d{2}[0-9A-Za-z.+*]{0,12}")
_SPAN = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})-(\d{2}:\d{2})")
_SUBJECT = re.compile(r"(\d{2})(?:\.\d{2})?")
_DRUG_CLASS = re.compile(r"(\d{2})(?:\d{2}){0,2}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MARKS = "10X98765432"

Check = Callable[[Any, Kind], str | None]


def text(value: Any, kind: Kind) -> str | None:
    if not isinstance(value, str):
        return "应为文本"
    return f"超过{kind.length}个字符" if len(value) > kind.length else None


def code(value: Any, kind: Kind) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return "应为代码"
    return None if str(value) in CODES[kind.table] else f"不在代码表中：{str(value)[:20]}"


def codes(value: Any, kind: Kind) -> str | None:
    if not isinstance(value, list) or not value:
        return "应为代码的数组"
    return next((reason for one in value if (reason := code(one, kind))), None)


def integer(value: Any, kind: Kind) -> str | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return "应为整数"
    low, high = kind.low or 0, LARGEST if kind.high is None else kind.high
    return None if low <= value <= high else "超出范围"


def decimal(value: Any, kind: Kind) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "应为数值"
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return "应为数值"
    if not number.is_finite() or number < 0:
        return "应为不小于零的数值"
    if number >= 10 ** (kind.length - kind.scale):
        return "超出范围"
    exponent = number.normalize().as_tuple().exponent
    return f"小数超过{kind.scale}位" if isinstance(exponent, int) and -exponent > kind.scale else None


def fen(value: Any, _: Kind) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        return "应为以分计的非负整数"
    return None


def local_time(value: Any, _: Kind) -> str | None:
    if isinstance(value, str) and len(value) == 19 and value[10] == " " and _parsed(value):
        return None
    return "应为yyyy-MM-dd HH:mm:ss"


def local_date(value: Any, kind: Kind) -> str | None:
    if isinstance(value, str) and (
        (len(value) == 10 and _parsed_date(value)) or local_time(value, kind) is None
    ):
        return None
    return "应为yyyy-MM-dd"


def birth(value: Any, _: Kind) -> str | None:
    return None if isinstance(value, str) and len(value) == 10 and _parsed_date(value) else "应为yyyy-MM-dd"


def moment(value: Any, _: Kind) -> str | None:
    parsed = _parsed(value) if isinstance(value, str) and len(value) <= 40 else None
    return None if parsed and parsed.tzinfo else "应为带时区的ISO 8601时间"


def span(value: Any, _: Kind) -> str | None:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found and _parsed(f"{found[1]} {found[2]}:00") and _parsed(f"{found[1]} {found[3]}:00"):
        return None
    return "应为yyyy-MM-dd HH:mm-HH:mm"


def subject(value: Any, _: Kind) -> str | None:
    found = _SUBJECT.fullmatch(value) if isinstance(value, str) else None
    return None if found and found[1] in CODES["subject"] else "不是诊疗科目代码"


def subjects(value: Any, kind: Kind) -> str | None:
    if not isinstance(value, list) or not value or any(subject(one, kind) for one in value):
        return "应为诊疗科目代码的数组"
    return None


def drug_class(value: Any, _: Kind) -> str | None:
    found = _DRUG_CLASS.fullmatch(value) if isinstance(value, str) else None
    return None if found and found[1] in CODES["drugClass"] else "不是药品分类代码"


def icd(value: Any, _: Kind) -> str | None:
    return None if isinstance(value, str) and _ICD.fullmatch(value) else "不是ICD-10诊断代码"


def icds(value: Any, kind: Kind) -> str | None:
    if not isinstance(value, str) or any(icd(one, kind) for one in value.split("|")):
        return "应为ICD-10诊断代码，多个以|分隔"
    return None


def names(value: Any, kind: Kind) -> str | None:
    if not isinstance(value, str) or not all(one.strip() for one in value.split("|")):
        return "应为名称，多个以|分隔"
    return text(value, kind)


def texts(value: Any, kind: Kind) -> str | None:
    if not isinstance(value, list) or any(text(one, kind) for one in value):
        return "应为文本数组"
    return None


def hexadecimal(value: Any, kind: Kind) -> str | None:
    if isinstance(value, str) and re.fullmatch(rf"[0-9a-f]{{{kind.length}}}", value):
        return None
    return f"应为{kind.length}位小写十六进制"


def certificate(value: Any, _: Kind) -> str | None:
    return text(value, Kind("s", length=30))


def is_citizen_number(value: str) -> bool:
    """GB 11643: weights, check character, a real birth date."""
    if not re.fullmatch(r"\d{17}[\dX]", value, re.ASCII):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value, _WEIGHTS, strict=False))
    birthday = f"{value[6:10]}-{value[10:12]}-{value[12:14]}"
    return _MARKS[total % 11] == value[17] and _parsed_date(birthday) is not None


def _parsed(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if EARLIEST <= moment.year <= LATEST else None


def _parsed_date(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if EARLIEST <= day.year <= LATEST else None


CHECKS: Mapping[str, Check] = {
    "s": text, "code": code, "codes": codes, "int": integer, "dec": decimal, "fen": fen, "dt": local_time, "d": local_date,
    "birth": birth, "iso": moment, "span": span, "subject": subject, "subjects": subjects,
    "drugclass": drug_class, "icd": icd, "icds": icds, "names": names, "texts": texts, "hex": hexadecimal,
    "cert": certificate,
}  # fmt: skip
