"""What a pushed message comes to: a kind, the persons as digests, nothing else; and the acknowledgement for it."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from contracts.hints import HintKind, HospitalHint
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.escapes import USUAL, escaped
from front_gateway.dialects.hl7v2.message import BadMessage, Message, header, line, written
from front_gateway.dialects.hl7v2.subjects import numbers_in

KINDS = {
    "ORU^R01": HintKind.REPORT_READY, "ORM^O01": HintKind.ORDER_CHANGED, "ADT^A08": HintKind.PATIENT_CHANGED,
    "ADT^A40": HintKind.PATIENT_MERGED,
}  # fmt: skip
_READY = frozenset({"F", "C"})
_STATUS = frozenset({"SC", "OC", "CA", "CR", "DC", "UA", "OK"})
MOST_SUBJECTS = 10


@dataclass(frozen=True)
class Pushed:
    """`hint` is None for what changes nothing for anybody here: a preliminary result, an order message that is no status."""

    hint: HospitalHint | None
    resources: int


def read(message: Message, source: str, at: datetime) -> Pushed:
    """What `message` comes to; `BadMessage` when it does not say whom it is about or has no control id."""
    kind = KINDS.get(message.kind)
    if kind is None:
        raise BadMessage("a message type that is not taken")
    if not message.control_id:
        raise BadMessage("MSH-10 is empty")
    numbers = _numbers(message, kind)
    if not numbers:
        raise BadMessage("no number of a patient's record")
    if len(numbers) > MOST_SUBJECTS:
        raise BadMessage("too many patients in one message")
    subjects = [resource_hash("Patient", one) for one in numbers]
    key = hashlib.sha256(
        "\n".join([source, message.kind, message.control_id, *subjects]).encode()
    ).hexdigest()
    resources = sum(1 for _ in message.all("OBR"))
    hint = HospitalHint(key, source, kind, subjects, at) if _tells(message, kind) else None
    return Pushed(hint, resources)


def _numbers(message: Message, kind: HintKind) -> list[str]:
    """Numbers of the record in order, each once: PID-3, of a merge then MRG-1 (the number that is no more)."""
    found: dict[str, None] = {}
    for one in message.segments:
        if one.name == "PID":
            found |= dict.fromkeys(each.value for each in numbers_in(one, 3))
        elif one.name == "MRG" and kind is HintKind.PATIENT_MERGED:
            found |= dict.fromkeys(each.value for each in numbers_in(one, 1))
    if kind is HintKind.PATIENT_MERGED and not any(message.all("MRG")):
        raise BadMessage("a merge without MRG")
    return list(found)


def _tells(message: Message, kind: HintKind) -> bool:
    if kind is HintKind.REPORT_READY:
        orders = list(message.all("OBR"))
        if not orders:
            raise BadMessage("ORU without OBR")
        return any(one.part(25) in _READY for one in orders)
    if kind is HintKind.ORDER_CHANGED:
        return any(one.part(1) in _STATUS for one in message.all("ORC"))
    return True


def acknowledgement(to: Message | None, code: str, words: str, at: datetime, charset: Charset) -> bytes:
    """ACK with MSA-1 `code` (AA, AE, AR); what could not be read has no control id to name."""
    event = to.header.part(9, 2) if to else ""
    control_id = to.control_id if to else ""
    application = to.header.part(3) if to else ""
    return written(
        [
            header(
                f"ACK^{escaped(event)}" if event else "ACK", secrets.token_hex(10), application, at, charset
            ),
            line("MSA", code, escaped(control_id, USUAL), escaped(words)),
        ],
        charset,
    )
