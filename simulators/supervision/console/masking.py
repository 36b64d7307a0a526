"""Persons as a supervisor sees them: 王*, 310*************34, 199****0001; staff keep their names.

What is left of a certificate leaves millions of numbers open, of a birth date nothing is left (records carry the age). A digest of what is
hidden would give it back to whoever tries them all: digests over a person's own words are hidden as well.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
_DIGESTS = {"patientCertHash", "signDigest", "auditSignDigest"}
_STAFF = ("doctor", "audit", "ys", "ry")
_VIEWER = "viewer"
_STAFF_VIEWERS = {"1", "2", "4", "5"}
"""viewerType of members of the staff; whoever else looks is the patient or acts for her."""
_PROBE = "甲乙丙"
_IN_TEXT = re.compile(r"(?<!\d)(?:\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx]|1\d{2}[ -]?\d{4}[ -]?\d{4})(?!\d)")
_HAN = re.compile(r"[\u3400-\u9fff·]{3,4}")
_LONG = 400
_LEAST_DIGITS = 7
"""What is shorter stands in texts by chance."""


def mask_name(name: str) -> str:
    return f"{name[:1]}*" if name else ""


def mask_certificate(number: str) -> str:
    if len(number) >= 15:
        return f"{number[:3]}{'*' * (len(number) - 5)}{number[-2:]}"
    return f"{number[:1]}{'*' * max(len(number) - 2, 1)}{number[-1:]}" if number else ""


def mask_phone(number: str) -> str:
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "****" if number else ""


def mask_birth_date(text: str) -> str:
    return "****-**-**" if text else ""


@dataclass(frozen=True)
class Words:
    """What free text is searched for: the names and the numbers of the persons it may be about."""

    names: frozenset[str] = frozenset()
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Each with what is shown instead."""

    def __or__(self, other: "Words") -> "Words":
        return Words(self.names | other.names, {**self.numbers, **other.numbers})

    def mask(self, text: str) -> str:
        """The text without them, and without whatever else looks like an id number or a mobile phone."""
        for number, stars in sorted(self.numbers.items(), key=lambda one: -len(one[0])):
            text = _spaced(number).sub(stars, text)
        for name in sorted(self.names, key=len, reverse=True):
            text = _without(name, text)
        return _IN_TEXT.sub(lambda found: _masked_number(re.sub("[ -]", "", found[0])), text)


NO_WORDS = Words()


def mask_record(method: str, record: Mapping[str, Any], also: Words = NO_WORDS) -> dict[str, Any]:
    """A copy that may be shown. Free text loses this record's persons and those of `also`, id numbers and phones."""
    words = words_about([(method, record)]) | also
    return {key: _of_record(method, record).of(key, value, words) for key, value in record.items()}


def words_about(records: Iterable[tuple[str, Mapping[str, Any]]]) -> Words:
    """The persons of these records (method, body): what any text about them has to lose."""
    names: set[str] = set()
    numbers: dict[str, str] = {}
    for method, record in records:
        masked = _of_record(method, record)
        for key, value in record.items():
            if not (isinstance(value, str) and value and masked.is_personal(key)):
                continue
            if masked.is_name(key):
                names.add(value)
            elif len(value) >= _LEAST_DIGITS:
                numbers[value] = str(masked.of(key, value, NO_WORDS))
    return Words(frozenset(names), numbers)


def is_personal(method: str, key: str, record: Mapping[str, Any]) -> bool:
    """Whether the stars hide whatever stands in this field, and it is a person's own and not a member of the staff's."""
    return _of_record(method, record).is_personal(key)


def _of_record(method: str, record: Mapping[str, Any]) -> "_Masked":
    return _Masked(method, str(record.get("viewerType")) in _STAFF_VIEWERS)


@dataclass(frozen=True)
class _Masked:
    """The values of one record; who looked (`viewerName`) is a person unless the record says that she was of the staff."""

    method: str
    staff_looked: bool

    def of(self, key: str, value: Any, words: Words) -> Any:
        if isinstance(value, list):
            return [self.of(key, one, words) for one in value]
        if isinstance(value, dict):
            return {inner: self.of(inner, one, words) for inner, one in value.items()}
        return self._text(key, value, words) if isinstance(value, str) else value

    def is_personal(self, key: str) -> bool:
        if key in _DIGESTS or key.startswith(_STAFF) or (self.staff_looked and key.startswith(_VIEWER)):
            return False
        return bool(self.of(key, _PROBE, NO_WORDS) != _PROBE)

    def is_name(self, key: str) -> bool:
        if key == "viewerName":
            return not self.staff_looked
        return key in _NAMES or (key == "name" and self.method != "uploadPractitioner")

    def _text(self, key: str, value: str, words: Words) -> str:
        if self.is_name(key):
            return mask_name(value)
        if key in _CERTIFICATES or key.endswith("CertID"):
            return mask_certificate(value)
        if key in _PHONES or key.endswith("Mobile"):
            return mask_phone(value)
        if key in _DIGESTS:
            return "****" if value else ""
        if key in _BIRTH_DATES:
            return mask_birth_date(value)
        text = words.mask(value)
        return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _without(name: str, text: str) -> str:
    """The name, however it is spaced; the given name alone, too, which would complete what the stars leave."""
    if len(name) < 2:
        return text
    text = _spaced(name).sub(mask_name(name), text)
    return text.replace(name[-2:], "**") if _HAN.fullmatch(name) else text


def _spaced(word: str) -> re.Pattern[str]:
    return re.compile(r"[\s-]*".join(map(re.escape, word)))


def _masked_number(number: str) -> str:
    return mask_phone(number) if len(number) == 11 else mask_certificate(number)
