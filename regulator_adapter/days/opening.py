"""Opens the statement of each day that is over, and a supplement where something came after a day was closed.

A day opens because an event of it is here that no closed statement covers, or because the backend speaks of it: so it also opens
when nothing happened on it, and when all that happened was lost on the way.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import Conflict, NotFound
from regulator_adapter.days.counting import arrived_through, first_number_from, last_numbers
from regulator_adapter.days.model import Statement
from regulator_adapter.days.states import DayState

OPENING = "days"
"""Name of the lock under which rows of days are made."""


async def open_days(db: Database) -> list[date]:
    """Make the rows that are due, also for days that a late event belongs to; returns the days that were opened."""
    async with unit_of_work(db) as session:
        await lock_stream(session, OPENING)
        today = clock_of(session).today()
        scanned = await session.scalar(select(func.max(Statement.scanned)).where(_ours())) or 0
        last = await last_numbers(session, scanned, today)
        due = await _due(session, last)
        if due:
            # No further than the first event of a day that is not over: its day is opened by a later look, which must still see it.
            ahead = await first_number_from(session, scanned, today)
            arrived = await arrived_through(session, await settled_through(session))
            scanned = arrived if ahead is None else min(arrived, ahead - 1)
        for day, supplement in due.items():
            _add(session, day, supplement, scanned)
        return sorted(due)


async def _due(session: AsyncSession, last: Mapping[date, int]) -> dict[date, int]:
    """Which of the days, by their highest number, want a statement, and which supplement it is."""
    query = (
        select(
            Statement.day, func.max(Statement.supplement), func.bool_and(Statement.closed_at.is_not(None)), func.max(Statement.through)
        )
        .where(_ours(), Statement.day.in_(last))
        .group_by(Statement.day)
    )  # fmt: skip
    known = {row[0]: row[1:] for row in await session.execute(query)}
    due = {}
    for day, number in last.items():
        supplement, closed, through = known.get(day, (-1, True, 0))
        if closed and number > through:
            due[day] = supplement + 1
    return due


async def settled_through(session: AsyncSession) -> int:
    """The highest number that a closed day covers: up to it nothing is missing."""
    query = select(func.max(Statement.through)).where(_ours(), Statement.closed_at.is_not(None))
    return await session.scalar(query) or 0


async def latest(session: AsyncSession, day: date) -> Statement | None:
    """The newest statement of `day`."""
    query = (
        select(Statement).where(_ours(), Statement.day == day).order_by(Statement.supplement.desc()).limit(1)
    )
    found: Statement | None = await session.scalar(query)
    return found


async def unclosed(session: AsyncSession) -> list[Statement]:
    """All that are not closed, the oldest first."""
    query = select(Statement).where(_ours(), Statement.closed_at.is_(None)).order_by(Statement.day)
    return list(await session.scalars(query))


async def closed_days(session: AsyncSession) -> list[tuple[date, date]]:
    """Runs of days of which every statement is closed, `(first, last)`."""
    query = (
        select(Statement.day)
        .where(_ours())
        .group_by(Statement.day)
        .having(func.bool_and(Statement.closed_at.is_not(None)))
        .order_by(Statement.day)
    )
    runs: list[tuple[date, date]] = []
    for day in await session.scalars(query):
        if runs and day == runs[-1][1] + timedelta(days=1):
            runs[-1] = runs[-1][0], day
        else:
            runs.append((day, day))
    return runs


async def opened(session: AsyncSession, day: date) -> Statement | None:
    """The newest statement of a day that somebody speaks of, made when there is none; None before the day is over."""
    await lock_stream(session, OPENING)
    newest = await latest(session, day)
    if newest is None and day < clock_of(session).today():
        newest = _add(session, day, 0, 0)
        await session.flush()
    return newest


async def open_supplement(session: AsyncSession, day: date) -> Statement | None:
    """A new statement of a closed day; None when the day has an open one, or none at all yet."""
    await lock_stream(session, OPENING)
    newest = await latest(session, day)
    if newest is None or newest.state is not DayState.CLOSED:
        return None
    return _add(session, day, newest.supplement + 1, 0)


async def restate(db: Database, day: date, actor: Actor, reason: str) -> Statement:
    """A person wants a day looked at again: its open statement, or a supplement. `NotFound`, `Conflict` before its end."""
    async with unit_of_work(db) as session:
        if day >= clock_of(session).today():
            raise Conflict("当日尚未结束")
        await lock_stream(session, OPENING)
        newest = await latest(session, day)
        if newest is None:
            raise NotFound("这一天没有对账单")
        row = newest if newest.state is not DayState.CLOSED else await open_supplement(session, day)
        assert row is not None
        await session.flush()
        audit(
            session,
            actor,
            "statement.restate",
            "statement",
            row.id,
            detail={"reason": reason, "by": actor.name},
        )
        return row


def _add(session: AsyncSession, day: date, supplement: int, scanned: int) -> Statement:
    row = Statement(day=day, supplement=supplement, scanned=scanned)
    session.add(row)
    return row


def _ours() -> ColumnElement[bool]:
    return Statement.hospital_id == hospital_id()
