"""Who answers what: the main dialect everything, save reports and orders of a category that has a system of its own."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts import his
from foundation.clock import Clock
from foundation.errors import AppError, Busy, Invalid, Issue
from foundation.logs import log
from front_gateway.deadline import Deadline
from front_gateway.dialects import Main, Who
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.hl7v2.line import Line
from front_gateway.dialects.hl7v2.orders import OrderWriter
from front_gateway.dialects.hl7v2.reports import ReportReader
from front_gateway.dialects.together import together
from front_gateway.note import Note
from front_gateway.refusals import HospitalRefused, TooSlow, Unreachable, Unusable, WrongSubject

NAMES = {"laboratory": "检验系统", "imaging": "检查系统"}
AWAY = (Unreachable, TooSlow, Unusable, Busy)
"""Failures of one system that the others' answers survive. `WrongSubject` is not among them: nothing is passed on then."""
SPARED_SECONDS, MOST_SECONDS = 0.7, 4.0
"""A system that is silent must not use up the time of the whole call, nor let a doctor wait for all of it."""


class CombinedDialect:
    """`systems` by category of report: laboratory, imaging. Without any, the main dialect alone."""

    def __init__(self, main: Main, systems: Mapping[str, Line], clock: Clock) -> None:
        self._main = main
        self._readers = {name: ReportReader(line, name) for name, line in systems.items()}
        self._writers = {name: OrderWriter(line) for name, line in systems.items()}
        self._clock = clock

    async def ready(self, deadline: Deadline) -> None:
        """Raises when the main system does not answer; the others have checks of their own."""
        await self._main.ready(deadline)

    async def answer(self, request: his.HisRequest, deadline: Deadline, note: Note) -> Any:
        """The reply of `request`'s operation."""
        if isinstance(request, his.WriteOrder | his.WriteOrderCancellation):
            return await self._ordered(request, deadline, note)
        if isinstance(request, his.History) and self._readers:
            return await self._history(request, deadline, note)
        return await self._main.answer(request, deadline, note)

    async def _history(self, request: his.History, deadline: Deadline, note: Note) -> his.HistoryReply:
        who = await self._main.who(request.patient_id, deadline, fresh=False)
        async with together() as group:
            main = group.create_task(self._main.answer(request, deadline, note))
            asked = {
                name: group.create_task(self._reports(name, who, request, deadline)) for name in self._readers
            }
        reply: his.HistoryReply = main.result()
        found = {name: task.result() for name, task in asked.items()}
        reports = _joined(reply.reports, found)
        note.resources += len(reports) - len(reply.reports)
        missing = [name for name, reports in found.items() if reports is None]
        return msgspec.structs.replace(reply, reports=reports, missing=[*reply.missing, *missing])

    async def _reports(
        self, name: str, who: Who, request: his.History, deadline: Deadline
    ) -> list[his.Report] | None:
        """Reports of one system; None when it gave no answer. Whom it cannot know, it has nothing of."""
        if not who.numbers:
            return []
        shorter = Deadline(max(0.1, min(MOST_SECONDS, deadline.left() - SPARED_SECONDS)))
        try:
            return await self._readers[name].since(who, request.since, self._clock.now(), shorter)
        except WrongSubject:
            raise
        except AWAY as error:
            log.warning("reports_missing", system=name, reason=_reason(error))
            return None

    async def _ordered(
        self, request: his.WriteOrder | his.WriteOrderCancellation, deadline: Deadline, note: Note
    ) -> his.Acknowledged:
        categories = {one.category for one in request.items}
        if len(categories) > 1:
            raise Invalid(issues=[Issue("items", "mixed", "一张申请单只能有一类项目")])
        [category] = categories
        if category not in self._writers:
            raise HospitalRefused(f"{NAMES[category]}没有接通，请线下开单")
        who = await self._main.who(request.patient_id, deadline, fresh=True)
        note.subject = resource_hash("Patient", who.patient_id)
        if not who.numbers:
            raise HospitalRefused("院内没有这位患者的病历号，请线下开单")
        done = await self._writers[category].send(request, who, self._clock.now(), deadline)
        note.resources = 1 + len(done.also)
        return done


def _joined(own: list[his.Report], found: Mapping[str, list[his.Report] | None]) -> list[his.Report]:
    """The systems' own reports; of the main system's what no other has answered for, so that none is there twice."""
    answered = {name for name, reports in found.items() if reports is not None}
    kept = [one for one in own if one.category not in answered]
    kept += [one for reports in found.values() for one in reports or ()]
    return sorted(kept, key=lambda one: one.issued_on, reverse=True)


def _reason(error: AppError) -> str:
    return str(getattr(error, "reason", error.code))


async def close_all(lines: Mapping[str, Line]) -> None:
    """Close the lines."""
    await asyncio.gather(*(one.close() for one in lines.values()))
