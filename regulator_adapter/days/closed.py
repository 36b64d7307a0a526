"""Which events belong to a day that is closed: their payload is needed no more."""

from datetime import date

from sqlalchemy import ColumnElement, Date, cast, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.base import hospital_id
from regulator_adapter.days.model import Statement
from regulator_adapter.model import ReceivedEvent


async def closed_through(session: AsyncSession, day: date) -> int | None:
    """The number up to which the events of `day` are settled on both sides; None while the day is not closed."""
    query = select(func.max(Statement.through)).where(
        Statement.hospital_id == hospital_id(), Statement.day == day, Statement.closed_at.is_not(None)
    )
    return await session.scalar(query)


def in_closed_day() -> ColumnElement[bool]:
    """Condition on `ReceivedEvent`: a closed statement of its day covers it.

    A record of such an event may still be carried over (rejected or parked): whoever drops payloads looks at that too.
    """
    day = cast(func.timezone("Asia/Shanghai", ReceivedEvent.occurred_at), Date)
    return exists().where(
        Statement.hospital_id == ReceivedEvent.hospital_id,
        Statement.day == day,
        Statement.closed_at.is_not(None),
        Statement.through >= ReceivedEvent.number,
    )
