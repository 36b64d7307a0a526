"""Judges one record by its field table.

First everything that is missing (all names in one answer, -99), then the first value that is wrong (-1).
"""

from collections.abc import Mapping
from typing import Any

from simulators.supervision.answers import Inner, RecordRefusalError
from simulators.supervision.checks import CHECKS, is_citizen_number
from simulators.supervision.tables import Field, Method

CERTIFICATE_TYPES = {
    "patientCertID": ("patientCertType", "patientCardType"),
    "patientIdcardNum": ("patientIdcardType",),
    "certNo": ("certType",),
    "zjhm": ("zjlb",),
}
CITIZEN = {"1", "01"}
SAME_COUNT = (("icdCode", "icdName"), ("diagnosisCode", "furtherConsultDiagnosis"), ("zdbm", "zdmc"))


def check_record(method: Method, record: Any, *, refuse_unknown: bool) -> None:
    """Raises RecordRefusalError."""
    if not isinstance(record, dict):
        raise _failed("", "每条数据应为JSON对象")
    if names := _missing(method.fields, record, record, ""):
        raise RecordRefusalError(Inner.MISSING, "|".join(names))
    _check_fields(method, method.fields, record, "", refuse_unknown=refuse_unknown)
    for code_name, text_name in SAME_COUNT:
        codes, texts = record.get(code_name), record.get(text_name)
        if codes and texts and codes.count("|") != texts.count("|"):
            raise _failed(text_name, f"个数与{code_name}不一致")


def is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


def _missing(
    fields: tuple[Field, ...], record: Mapping[str, Any], whole: Mapping[str, Any], prefix: str
) -> list[str]:
    names = []
    for field in fields:
        value = record.get(field.name)
        if is_empty(value):
            if field.is_needed(whole):
                names.append(prefix + field.name)
        elif field.kind.name == "list" and isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    names += _missing(field.items, item, whole, f"{prefix}{field.name}[{index}].")
    return names


def _check_fields(
    method: Method, fields: tuple[Field, ...], record: Mapping[str, Any], prefix: str, *, refuse_unknown: bool
) -> None:
    if refuse_unknown and (unknown := record.keys() - {field.name for field in fields}):
        raise _failed(prefix + min(unknown)[:50], "未定义的字段")
    for field in fields:
        value = record.get(field.name)
        if is_empty(value):
            continue
        name = prefix + field.name
        if field.kind.name == "list":
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                raise _failed(name, "应为对象数组")
            for index, item in enumerate(value):
                _check_fields(method, field.items, item, f"{name}[{index}].", refuse_unknown=refuse_unknown)
        elif reason := _reason(method, field, value, record):
            raise _failed(name, reason)


def _reason(method: Method, field: Field, value: Any, record: Mapping[str, Any]) -> str | None:
    if field.kind.name == "event":
        if not isinstance(value, str) or len(value) > 50:
            return "应为文本"
        return None if method.events == ("*",) or value in method.events else f"不属于{method.name}"
    reason = CHECKS[field.kind.name](value, field.kind)
    if reason is None and field.kind.name == "cert":
        types = {str(record.get(name)) for name in CERTIFICATE_TYPES[field.name]}
        if types & CITIZEN and not is_citizen_number(value):
            return "居民身份证号码校验不通过"
    return reason


def _failed(name: str, reason: str) -> RecordRefusalError:
    return RecordRefusalError(Inner.FAILED, f"{name}{reason}")
