"""What a platform's answer means for the records that were sent. Pure.

Retry rule of the interface: again after -1 (outer), 40011, time-outs and 5xx; not after -99, -98, 40001, inner -1, which
people must look at. Codes about the connection itself (key, right, address, signature) are nobody's record's fault: the
rows stay as they are and the whole profile pauses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec


class Meaning(StrEnum):
    """What to do next."""

    ACCEPTED = "accepted"
    """All records of the list are stored."""
    REJECTED = "rejected"
    """The platform refuses a record: people."""
    PARKED = "parked"
    """The platform refuses the request: people."""
    LATER = "later"
    """Not stored; again after a while."""
    UNKNOWN = "unknown"
    """It may be stored."""
    CLOSED = "closed"
    """Nothing gets through: wrong key, right, address, or nobody answers; nothing was stored."""


@dataclass(frozen=True)
class Receipt:
    """One record's receipt, where the platform gives them; `key` is the event's id, or what the platform names its rows by."""

    key: str
    number: str
    duplicate: bool


@dataclass(frozen=True)
class Reply:
    """One answer. `receipts` are stored records even when `meaning` is REJECTED; `failed` is the event whose record is bad.

    `failures` are the rows that were refused, each with its code and words, where a platform judges every row for itself.
    """

    meaning: Meaning
    code: str
    text: str = ""
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    failed: str = ""
    failures: Mapping[str, tuple[str, str]] = field(default_factory=dict)


OUTER = {
    -1: Meaning.LATER,
    40001: Meaning.PARKED,
    40002: Meaning.CLOSED,
    40003: Meaning.CLOSED,
    40004: Meaning.CLOSED,
    40006: Meaning.CLOSED,
    40007: Meaning.CLOSED,
    40010: Meaning.CLOSED,
    40011: Meaning.LATER,
    40012: Meaning.PARKED,
}

INNER = {200: Meaning.ACCEPTED, -99: Meaning.REJECTED, -98: Meaning.REJECTED, -1: Meaning.REJECTED}


def read(status: int, body: bytes) -> Reply:
    """The meaning of an HTTP answer. Texts come back short and storable, whatever the other side wrote."""
    if status != 200:
        return _by_status(status)
    # PostgreSQL stores no NUL, and an answer that cannot be stored would be asked for again for ever.
    body = body.replace(b"\\u0000", b"")
    try:
        answer = msgspec.json.decode(body)
        code = answer["code"]
        if code != 200:
            return Reply(OUTER.get(code, Meaning.PARKED), _short(code), str(answer.get("msg", "")))
        inner = answer["body"]
        if "rows" in inner:
            return _by_rows(inner["rows"])
        return Reply(
            INNER.get(inner["msgCode"], Meaning.REJECTED),
            _short(f"200/{inner['msgCode']}"),
            str(inner.get("msg", "")),
            _receipts(inner.get("receipts", ())),
            str(inner.get("failedEventId", "")),
        )
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return Reply(Meaning.UNKNOWN, "unreadable", "the answer is not the platform's")


SENT, FAILED = 1, 2
"""The status flag of a row as its table has it; 0 would be: not sent yet."""


def _by_rows(entries: Any) -> Reply:
    """Every row with a status of its own; what is not named is not known to be stored."""
    receipts, failures = {}, {}
    for entry in entries:
        key = str(entry["sjbs"])
        if entry["status"] == SENT:
            receipts[key] = Receipt(key, str(entry["receipt"])[:80], bool(entry.get("duplicate")))
        elif entry["status"] == FAILED:
            failures[key] = _short(f"200/{entry['msgCode']}"), str(entry.get("msg", ""))
    meaning = Meaning.REJECTED if failures else Meaning.ACCEPTED
    return Reply(meaning, "200", receipts=receipts, failures=failures)


def _receipts(entries: Any) -> dict[str, Receipt]:
    return {
        str(entry["eventId"]): Receipt(
            str(entry["eventId"]), str(entry["receipt"])[:80], bool(entry.get("duplicate"))
        )
        for entry in entries
    }


def _short(code: object) -> str:
    return str(code)[:40]


def _by_status(status: int) -> Reply:
    """503 is the gateway's or the platform's "not now" and nothing was stored; other 5xx may hide a stored record."""
    code = f"http_{status}"
    if status in (503, 429):
        return Reply(Meaning.CLOSED, code, "not now")
    if status in (401, 403, 404):
        return Reply(Meaning.CLOSED, code, "the door is closed")
    if status >= 500:
        return Reply(Meaning.UNKNOWN, code, "no answer behind the gateway")
    return Reply(Meaning.PARKED, code, "the request is refused")
