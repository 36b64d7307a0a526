"""What the adapter does not have yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.outbox import OutboxEvent


@dataclass(frozen=True)
class Undelivered:
    """`oldest` is when the first of them happened; `held` of them cannot go for a reason of their own."""

    count: int
    oldest: datetime | None
    held: int


class Held(NamedTuple):
    """An event that cannot go as it is, without its content; it is tried again at `again_at`."""

    number: int | None
    type: str
    occurred_at: datetime
    reason: str
    times: int
    again_at: datetime | None


_WAITS = OutboxEvent.relayed_at.is_(None)
_HELD = _WAITS & (OutboxEvent.held_times > 0)


async def undelivered(session: AsyncSession) -> Undelivered:
    """Numbered or not. The oldest is the one with the lowest number: numbers follow what happened closely, and have an index."""
    count = await session.scalar(select(func.count()).select_from(OutboxEvent).where(_WAITS))
    oldest = await session.scalar(
        select(OutboxEvent.occurred_at)
        .where(_WAITS)
        .order_by(OutboxEvent.sealed_number, OutboxEvent.ordinal)
        .limit(1)
    )
    return Undelivered(count or 0, oldest, await held_count(session))


async def held_count(session: AsyncSession) -> int:
    """How many events are held."""
    return await session.scalar(select(func.count()).select_from(OutboxEvent).where(_HELD)) or 0


async def held(session: AsyncSession, most: int) -> list[Held]:
    """The first of those that are held."""
    row = OutboxEvent
    query = (
        select(
            row.sealed_number, row.type, row.occurred_at, row.held_reason, row.held_times, row.claimed_until
        )
        .where(_HELD)
        .order_by(row.sealed_number)
        .limit(most)
    )
    return [Held(*found) for found in await session.execute(query)]
