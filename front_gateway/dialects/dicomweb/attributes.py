"""DICOM's JSON (PS3.18 annex F): objects of attributes by tag, each with a list of values. Nothing is kept that is not asked for."""

from datetime import date, datetime
from typing import Any

import msgspec

from front_gateway.refusals import Target, Unusable
from front_gateway.upstream import Reply

STUDY_DATE = "00080020"
ACCESSION_NUMBER = "00080050"
MODALITY = "00080060"
MODALITIES_IN_STUDY = "00080061"
STUDY_DESCRIPTION = "00081030"
SERIES_DESCRIPTION = "0008103E"
SOP_INSTANCE = "00080018"
PATIENT_ID = "00100020"
STUDY = "0020000D"
SERIES = "0020000E"
SERIES_NUMBER = "00200011"
INSTANCE_NUMBER = "00200013"
STUDY_SERIES = "00201206"
STUDY_INSTANCES = "00201208"
FRAMES = "00280008"
ROWS = "00280010"
COLUMNS = "00280011"

LONGEST = 200
"""Characters of a text that are passed on."""


class _Value(msgspec.Struct, frozen=True):
    Value: list[Any] | None = None


Attributes = dict[str, _Value]
_decode = msgspec.json.Decoder(list[Attributes]).decode


def unusable(reason: str) -> Unusable:
    """The refusal for an answer that is not what was asked."""
    return Unusable(Target.PACS, reason)


def entries_of(reply: Reply, what: str) -> list[Attributes]:
    """The entries of an answer; none for 204."""
    if reply.status == 204 or (reply.status == 200 and not reply.body.strip()):
        return []
    if reply.status != 200:
        raise unusable(f"{what}: HTTP {reply.status}")
    try:
        return _decode(_utf8(reply))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise unusable(f"{what}: no DICOM JSON") from None


def _utf8(reply: Reply) -> bytes:
    """JSON is UTF-8. An archive that hands on the bytes of GB18030 files as they are says so, or at least they are no UTF-8."""
    named = next((value.lower() for name, value in reply.headers if name == "content-type"), "")
    if "charset=gb" not in named:
        try:
            reply.body.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return reply.body
    return reply.body.decode("gb18030").encode()


def texts(entry: Attributes, tag: str) -> list[str]:
    """The values that are texts, without padding, shortened."""
    found = entry.get(tag)
    return [
        one.strip(" \0")[:LONGEST] for one in (found.Value if found else None) or [] if isinstance(one, str)
    ]


def text(entry: Attributes, tag: str) -> str:
    """The first text, empty when there is none."""
    return next(iter(texts(entry, tag)), "")


def number(entry: Attributes, tag: str) -> int | None:
    """The first value as a whole number. IS may come as a number or as text."""
    found = entry.get(tag)
    first = next(iter((found.Value if found else None) or []), None)
    try:
        return None if first is None else int(first)
    except (TypeError, ValueError, OverflowError):
        return None


def day(entry: Attributes, tag: str) -> date | None:
    """A DA (`20261122`); None for anything else."""
    try:
        return datetime.strptime(text(entry, tag), "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
