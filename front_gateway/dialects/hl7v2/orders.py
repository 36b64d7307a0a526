"""Orders out: ORM^O01 with ORC-1 NW or CA, answered by ORR^O02 or ACK.

MSH-10 is made from the request id: the same order again is the same message, which the system knows. It goes over a line of its own.
"""

import hashlib
from datetime import datetime

from contracts.his import Acknowledged, OrderItem, WriteOrder, WriteOrderCancellation
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.hl7v2.answers import accepted, words
from front_gateway.dialects.hl7v2.line import Line
from front_gateway.dialects.hl7v2.message import Message, header, joined, line, stamp, written
from front_gateway.dialects.hl7v2.reports import SECTION
from front_gateway.refusals import HospitalRefused, Target, Unusable

Order = WriteOrder | WriteOrderCancellation
_SEX = {"male": "M", "female": "F"}
_UNABLE = frozenset({"UA", "UC", "UX", "DE"})
"""ORC-1 of an answer (HL7 table 0119): it cannot be done."""


class OrderWriter:
    """Sends orders to one system."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def send(self, request: Order, who: Who, now: datetime, deadline: Deadline) -> Acknowledged:
        """The system's acknowledgement; `HospitalRefused` with its words."""
        control_id = control_id_of(request)
        answer = await self._line.ask(
            order(self._line, request, who, now), control_id, deadline, question=False
        )
        accepted(answer, f"{self._line.address.name} order")
        if answer.kind.split("^")[0] not in ("ORR", "ACK"):
            raise Unusable(Target.HIS, f"{self._line.address.name}: the answer is neither ORR nor ACK")
        filled = _filled(answer)
        ours = [placer(request.number, place) for place in range(1, len(request.items) + 1)]
        references = [filled.get(one, one) for one in ours]
        return Acknowledged(references[0], now, also=references[1:])


def control_id_of(request: Order) -> str:
    """MSH-10 (20 letters at most), the same whenever the request is."""
    return hashlib.sha256(f"{request.OPERATION}/{request.request_id}".encode()).hexdigest()[:20]


def placer(number: str, place: int) -> str:
    """ORC-2 of one item."""
    return f"{number}-{place}"


def order(to: Line, request: Order, who: Who, now: datetime) -> bytes:
    """ORM^O01: MSH, PID, PV1, then ORC and OBR for each item."""
    new = isinstance(request, WriteOrder)
    at = request.ordered_at if isinstance(request, WriteOrder) else request.cancelled_at
    segments = [
        header("ORM^O01", control_id_of(request), to.address.application, now, to.address.charset),
        line(
            "PID", "1", "", joined(who.numbers[0], "", "", "", "MR"), "", joined(who.name), "",
            who.birth_date.strftime("%Y%m%d"), _SEX.get(who.sex, "U"),
        ),
        line("PV1", "1", "O", *([""] * 16), joined(str(request.appointment_id))),
    ]  # fmt: skip
    for place, item in enumerate(request.items, 1):
        segments += _ordered(request, item, place, "NW" if new else "CA", stamp(at))
    if isinstance(request, WriteOrderCancellation):
        segments.append(line("NTE", "1", "P", joined(request.reason)))
    return written(segments, to.address.charset)


def _ordered(request: Order, item: OrderItem, place: int, control: str, at: str) -> list[str]:
    number, doctor = placer(request.number, place), joined(request.practitioner_code)
    site = (
        joined(item.site) if item.category == "laboratory" else f"^^^{joined(item.site)}" if item.site else ""
    )
    return [
        line("ORC", control, joined(number), "", joined(request.number), "", "", "", "", at, "", "", doctor),
        line(
            "OBR", str(place), joined(number), "", joined(item.code, item.name), "", "", "", "", "", "", "", "", "", "",
            site, doctor, *([""] * 7), SECTION[item.category],
        ),
    ]  # fmt: skip


def _filled(answer: Message) -> dict[str, str]:
    """The system's number by ours; `HospitalRefused` when it is unable to do one of them: then it does none."""
    found = {}
    for one in answer.all("ORC"):
        if one.part(1) in _UNABLE:
            reason = words(answer) or next((note.part(3) for note in answer.all("NTE")), "")
            raise HospitalRefused(reason)
        if one.part(2) and one.part(3):
            found[one.part(2)] = one.part(3)
    return found
