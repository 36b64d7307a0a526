"""Results of one patient since a day: QRY^R02 in pages, ORF^R04 out.

Only what is final or corrected counts (OBR-25, OBX-11: F, C); a correction stands in for what it corrects, whatever the order.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.his import Report
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.hl7v2.answers import UNKNOWN_KEY, accepted, error_codes
from front_gateway.dialects.hl7v2.line import Line
from front_gateway.dialects.hl7v2.message import Message, Segment, day, header, joined, line, stamp, written
from front_gateway.dialects.hl7v2.subjects import Subject, check, subject_of
from front_gateway.dialects.hl7v2.values import conclusion, values
from front_gateway.refusals import HospitalRefused, Target, Unusable

PAGES = 10
PER_PAGE = 200
SECTION = {"laboratory": "LAB", "imaging": "RAD"}
"""QRD-10 (HL7 table 0074)."""
_FINAL = frozenset({"F", "C"})


@dataclass
class _Group:
    """One OBR with what belongs to it."""

    obr: Segment
    subject: Subject | None
    rest: list[Segment]


class ReportReader:
    """Asks one system for the results of `category`."""

    def __init__(self, line: Line, category: str) -> None:
        self._line = line
        self._category = category

    async def since(self, who: Who, since: date, now: datetime, deadline: Deadline) -> list[Report]:
        """Reports issued on or after `since`, newest first."""
        groups: list[_Group] = []
        pointer = ""
        for _ in range(PAGES):
            answer = await self._asked(who, since, now, pointer, deadline)
            groups += _groups(answer)
            pointer = answer.first("DSC").part(1)
            if not pointer:
                break
        else:
            raise self._unusable("more results than are read for one question")
        for one in groups:
            check(one.subject, who, self._line.address.name, self._number(one.obr))
        reports = [made for one in self._standing(groups) if (made := self._report(one, since)) is not None]
        return sorted(reports, key=lambda one: one.issued_on, reverse=True)

    async def _asked(self, who: Who, since: date, now: datetime, pointer: str, deadline: Deadline) -> Message:
        control_id = secrets.token_hex(10)
        message = query(self._line, self._category, who, since, now, control_id, pointer)
        answer = await self._line.ask(message, control_id, deadline, question=True)
        if UNKNOWN_KEY in error_codes(answer) and not any(answer.all("OBR")):
            return Message((answer.header,), answer.separators)  # nobody there by that number: no results
        try:
            accepted(answer, f"{self._line.address.name} query")
        except HospitalRefused:
            raise self._unusable("the query was refused") from None
        if answer.kind.split("^")[0] != "ORF":
            raise self._unusable("the answer is no ORF")
        echoed = answer.first("QRD").part(4)
        if echoed and echoed != control_id:
            raise self._unusable("the answer is to another query")
        return answer

    def _standing(self, groups: list[_Group]) -> list[_Group]:
        """Final results; of several with one number the newest correction, or the newest."""
        chosen: dict[str, _Group] = {}
        for one in groups:
            status = one.obr.part(25)
            key = f"{self._number(one.obr)} {one.obr.part(4)}"
            if status == "X":
                chosen.pop(key, None)
            if status not in _FINAL:
                continue
            before = chosen.get(key)
            if before is None or _rank(one) >= _rank(before):
                chosen[key] = one
        return list(chosen.values())

    def _report(self, group: _Group, since: date) -> Report | None:
        issued = day(group.obr.part(22)) or day(group.obr.part(7))
        if issued is None:
            raise self._unusable("a result without a day")
        if issued < since:
            return None
        return Report(
            title=group.obr.part(4, 2) or group.obr.part(4, 1),
            category=self._category,
            issued_on=issued,
            conclusion=conclusion(group.rest),
            results=values(group.rest),
            resource_hash=resource_hash(self._line.address.name, self._number(group.obr)),
        )

    def _number(self, obr: Segment) -> str:
        found = obr.part(3) or obr.part(2)
        if not found:
            raise self._unusable("a result without a number")
        return found

    def _unusable(self, reason: str) -> Unusable:
        return Unusable(Target.HIS, f"{self._line.address.name}: {reason}")


def _rank(group: _Group) -> tuple[bool, str]:
    return group.obr.part(25) == "C", group.obr.part(22)


def _groups(answer: Message) -> list[_Group]:
    """Each OBR with the PID before it and what follows up to the next."""
    found: list[_Group] = []
    subject: Subject | None = None
    open_group: _Group | None = None
    for one in answer.segments:
        if one.name == "PID":
            subject, open_group = subject_of(one), None
        elif one.name == "ORC":
            open_group = None
        elif one.name == "OBR":
            open_group = _Group(one, subject, [])
            found.append(open_group)
        elif open_group is not None and one.name in ("OBX", "NTE"):
            open_group.rest.append(one)
    return found


def query(
    to: Line, category: str, who: Who, since: date, now: datetime, control_id: str, pointer: str
) -> bytes:
    """QRY^R02 for all of the patient's numbers; a day earlier than asked, because the other side's clock is its own."""
    from_day = (since - timedelta(days=1)).strftime("%Y%m%d000000")
    subjects = "~".join(joined(one) for one in who.numbers)
    segments = [
        header("QRY^R02", control_id, to.address.application, now, to.address.charset),
        line(
            "QRD", stamp(now), "R", "I", control_id, "", "", f"{PER_PAGE}^RD", subjects, "RES", SECTION[category],
            "", "T",
        ),
        line("QRF", to.address.application or SECTION[category], from_day),
    ]  # fmt: skip
    if pointer:
        segments.append(line("DSC", joined(pointer)))
    return written(segments, to.address.charset)
