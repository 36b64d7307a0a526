"""Holds what is stored against what was said of it: by the backend of each day, and by both sides where a day was closed.

A chain that lost its last links is a shorter chain, and a record that is gone leaves no hole: only somebody who counted tells.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.days import Sent
from foundation.clock import local
from foundation.db.base import hospital_id
from regulator_adapter.days import counting
from regulator_adapter.days.closing import frozen_records
from regulator_adapter.days.counting import Span
from regulator_adapter.days.model import Statement
from regulator_adapter.days.rules import Record, RecordsDigest
from regulator_adapter.days.states import DayState
from regulator_adapter.model import Submission


@dataclass
class Said:
    """What the statements say together. `last`: the highest number that anybody spoke of; `covered`: up to which number each day is
    closed; `problems`: what does not agree with what is here; `vanished`: records that a closed day had and that are gone."""

    last: int = 0
    covered: dict[date, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)

    def settles(self, number: int, at: datetime) -> bool:
        """Whether a closed day covers this event."""
        return number <= self.covered.get(local(at).date(), 0)


async def said(session: AsyncSession) -> Said:
    """Reads every statement, and the records of those that are closed as they stood then."""
    found = Said()
    query = select(Statement).where(Statement.hospital_id == hospital_id())
    for row in await session.scalars(query.order_by(Statement.day, Statement.supplement)):
        sent = msgspec.json.decode(row.sent, type=Sent) if row.sent else None
        found.last = max(found.last, row.through, sent.last_number if sent else 0)
        if row.state is DayState.CLOSED:
            found.covered[row.day] = max(found.covered.get(row.day, 0), row.through)
            problems = await _of_closed(session, row, sent)
            name = f"{row.day.isoformat()}/{row.supplement}"
            found.problems += [f"{name}: {problem}" for problem in problems]
            found.vanished += await _vanished(session, row)
    return found


async def _of_closed(session: AsyncSession, row: Statement, sent: Sent | None) -> list[str]:
    """Where the day that was closed is not the one that is here."""
    if not row.ours or not row.closing or sent is None:
        return ["it is closed without a statement"]
    ours: dict[str, Any] = msgspec.json.decode(row.ours)
    closing: dict[str, Any] = msgspec.json.decode(row.closing)
    events = await counting.events_of(session, Span(row.day, row.through))
    found = []
    if row.through != ours["through"]:
        found.append(f"it was stated up to {ours['through']}, not {row.through}")
    if closing["sent"] != row.sent:
        found.append("the outbox's totals are not the ones it was closed on")
    if events != sent.events:
        found.append(f"closed with {sent.events} events, {events} are here")
    if await counting.head_at(session, row.through) != ours["chainHash"]:
        found.append(f"the chain's head at {row.through} is another one")
    if "records" in closing and await _digest(session, row) != closing["records"]:
        found.append("its records are not the ones it was closed with")
    return found


async def _digest(session: AsyncSession, row: Statement) -> dict[str, Any]:
    digest = RecordsDigest()
    async for page in frozen_records(session, row):
        for record in page:
            digest.add(record)
    return digest.as_text()


async def _vanished(session: AsyncSession, row: Statement) -> list[str]:
    """A record may be on its way once more; but it is there."""
    found = []
    async for page in frozen_records(session, row):
        first, last = page[0][0], page[-1][0]
        query = select(
            Submission.number, Submission.profile, Submission.method, Submission.business_number
        ).where(*Span(row.day, last).of(Submission), Submission.number >= first)
        here = {tuple(one) for one in await session.execute(query)}
        found += [_name(record) for record in page if tuple(record[:4]) not in here]
    return found


def _name(record: Record) -> str:
    return f"{record[0]} {record[1]} {record[2]}"
