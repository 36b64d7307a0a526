"""What the hospital was told about places of its own that we sold: the mirror must know which busy slot is our doing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.appointment.states import OPEN
from backend.rescheduling.model import Relocation
from backend.timetable.rules import Standing
from backend.writeback.model import WriteBack
from backend.writeback.service import PLACE_TAKEN

TAKES = ("registration", "move")
STEPS = (*TAKES, "cancellation")


async def standings(session: AsyncSession, slots: Sequence[UUID]) -> dict[UUID, Standing]:
    """By slot; nothing of slots about which nothing was to be written."""
    found: dict[UUID, Standing] = {}
    query = (
        select(Appointment.slot_id, Appointment.state, WriteBack)
        .join(WriteBack, WriteBack.appointment_id == Appointment.id)
        .where(Appointment.slot_id.in_(slots), WriteBack.step.in_(STEPS))
        .order_by(WriteBack.id)  # the latest answer counts
    )
    under_way = await _left(session, slots)
    for slot_id, state, step in (await session.execute(query)).all():
        if step.acknowledged_at is None and not step.refused_code:
            under_way.add(slot_id)
        elif step.step in TAKES and state in OPEN:
            if step.acknowledged_at is not None:
                found[slot_id] = Standing.TAKEN
            elif step.refused_code == PLACE_TAKEN:
                found[slot_id] = Standing.REFUSED
    return found | dict.fromkeys(under_way, Standing.UNDER_WAY)


async def _left(session: AsyncSession, slots: Sequence[UUID]) -> set[UUID]:
    """Slots that somebody was moved away from, of which the hospital has not heard yet."""
    query = (
        select(Relocation.from_slot_id)
        .join(WriteBack, WriteBack.subject_id == Relocation.id)
        .where(
            Relocation.from_slot_id.in_(slots), WriteBack.step == "move", WriteBack.acknowledged_at.is_(None),
            WriteBack.refused_code == "",
        )
    )  # fmt: skip
    return set(await session.scalars(query))
