"""Persons as a supervisor sees them: 王*, 310114********1234, 199****0001; staff keep their names."""

import re
from collections.abc import Mapping
from typing import Any

_NAMES = {
    "patientName",
    "guardianName",
    "appointUserName",
    "bookedByName",
    "evaluationPeople",
    "deliveryPeople",
    "hzxm",
    "jhrxm",
}
_CERTIFICATES = {"cardNo", "patientIdcardNum", "certNo", "certID", "zjhm", "jhrzjhm", "yssfzh", "rysfzh"}
_PHONES = {"mobile", "phone", "lxdh"}
_BIRTH_DATES = {"birthDate", "csrq"}
_IN_TEXT = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1\d{10})(?!\d)")
_LONG = 400


def mask_name(name: str) -> str:
    return f"{name[:1]}*" if name else ""


def mask_certificate(number: str) -> str:
    if len(number) >= 15:
        return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"
    return f"{number[:1]}{'*' * max(len(number) - 2, 1)}{number[-1:]}" if number else ""


def mask_phone(number: str) -> str:
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "****" if number else ""


def mask_birth_date(text: str) -> str:
    """The year stays: a full date would give back what the certificate's stars hide."""
    return f"{text[:4]}-**-**" if text else ""


def mask_record(method: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that may be shown. Free text loses the names of this record's persons, id numbers and phones."""
    names = {str(value) for key, value in record.items() if _is_name(method, key) and value}
    return {key: _masked(method, key, value, names) for key, value in record.items()}


def _masked(method: str, key: str, value: Any, names: set[str]) -> Any:
    if isinstance(value, list):
        return [_masked(method, key, one, names) for one in value]
    if isinstance(value, dict):
        return {inner: _masked(method, inner, one, names) for inner, one in value.items()}
    return _masked_value(method, key, value, names) if isinstance(value, str) else value


def _masked_value(method: str, key: str, value: str, names: set[str]) -> str:
    if _is_name(method, key):
        return mask_name(value)
    if key in _CERTIFICATES or key.endswith("CertID"):
        return mask_certificate(value)
    if key in _PHONES or key.endswith("Mobile"):
        return mask_phone(value)
    return mask_birth_date(value) if key in _BIRTH_DATES else _masked_text(value, names)


def _is_name(method: str, key: str) -> bool:
    return key in _NAMES or (key == "name" and method != "uploadPractitioner")


def _masked_text(text: str, names: set[str]) -> str:
    for name in names:
        if len(name) > 1:
            text = text.replace(name, mask_name(name))
    text = _IN_TEXT.sub(lambda found: _masked_number(found[0]), text)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _masked_number(number: str) -> str:
    return mask_phone(number) if len(number) == 11 else mask_certificate(number)
