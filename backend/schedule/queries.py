"""Reads about slots."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner.model import Practitioner
from backend.schedule.model import Slot
from backend.schedule.rules import HELD, Pool
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound


async def slot(session: AsyncSession, slot_id: UUID) -> Slot:
    """By id; `NotFound` otherwise."""
    row = await session.get(Slot, slot_id)
    if row is None:
        raise NotFound("没有找到该时段")
    return row


def pool(row: Slot) -> Pool:
    """A slot as the rules see it."""
    held = {channel: getattr(row, name) for channel, name in HELD.items()}
    return Pool(
        row.capacity,
        row.remaining,
        held,
        row.released_at,
        row.shares_end_at,
        row.stopped_at,
        row.fresh_until,
        row.surplus,
    )


async def open_slots(
    session: AsyncSession, *, department: str | None, practitioner: UUID | None, day: date | None
) -> Sequence[tuple[Slot, Practitioner]]:
    """Slots that have not ended and are not stopped, soonest first; those that are not on sale yet too."""
    query = (
        select(Slot, Practitioner)
        .join(Practitioner, Practitioner.id == Slot.practitioner_id)
        .where(Slot.ends_at > clock_of(session).now(), Slot.stopped_at.is_(None), Practitioner.active)
        .order_by(Slot.starts_at, Practitioner.code)
        .limit(400)
    )
    if department is not None:
        query = query.where(Slot.department_code == department)
    if practitioner is not None:
        query = query.where(Slot.practitioner_id == practitioner)
    if day is not None:
        query = query.where(Slot.day == day)
    return [(row, doctor) for row, doctor in (await session.execute(query)).all()]
