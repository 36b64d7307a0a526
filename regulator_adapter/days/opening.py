"""Opens the statement of each day that is over, and a supplement where something came after a day was closed."""

from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import Conflict, NotFound
from regulator_adapter.days.counting import arrived_through, days_between
from regulator_adapter.days.model import Statement
from regulator_adapter.days.states import DayState

OPENING = "days"
"""Name of the lock under which rows of days are made."""


async def open_days(db: Database) -> list[date]:
    """Make the rows that are due, also for days that a late event belongs to; returns the days that were opened."""
    async with unit_of_work(db) as session:
        await lock_stream(session, OPENING)
        closed = await settled_through(session)
        scanned = await session.scalar(select(func.max(Statement.scanned)).where(_ours())) or 0
        arrived = await arrived_through(session, min(closed, scanned))
        days = await days_between(session, scanned, arrived, clock_of(session).today())
        return [day for day in days if await _open(session, day, arrived)]


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


async def _open(session: AsyncSession, day: date, arrived: int) -> bool:
    newest = await latest(session, day)
    if newest is None:
        _add(session, day, 0, arrived)
        return True
    if newest.state is not DayState.CLOSED:
        return False
    _add(session, day, newest.supplement + 1, arrived)
    return True


def _add(session: AsyncSession, day: date, supplement: int, scanned: int) -> Statement:
    row = Statement(day=day, supplement=supplement, scanned=scanned)
    session.add(row)
    return row


def _ours() -> ColumnElement[bool]:
    return Statement.hospital_id == hospital_id()
