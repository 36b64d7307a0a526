"""Deciding a change and carrying it out; what it left behind."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.context import Context
from backend.notification.model import Message
from backend.payment.model import Refund
from backend.rescheduling import carrying, service
from backend.rescheduling.model import Relocation, ScheduleChange
from backend.rescheduling.queries import Scope
from backend.rescheduling.service import Target
from backend.schedule.model import Slot
from foundation.actor import Actor
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.ids import new_id
from tests.builders.visits import (
    Patient,
    a_slot,
    bill,
    booked,
)
from tests.small_world import DOCTOR, Member

MANAGER = Actor("staff", new_id(), frozenset({"schedule_manager"}), "排班员")
HOUR = timedelta(hours=1)


def over(*slots: Slot, doctor: Member = DOCTOR) -> Scope:
    """What the doctor has from the first to the last of these slots."""
    return Scope(doctor.id, None, min(one.starts_at for one in slots), max(one.ends_at for one in slots))


def to(slot: Slot, rest: str = "refuse") -> Target:
    """Just this slot."""
    return Target(slot.practitioner_id, slot.starts_at, slot.ends_at, rest)


async def stops(session: AsyncSession, *slots: Slot, target: Target | None = None) -> ScheduleChange:
    """Decided, and every job done."""
    row = await service.stop(session, MANAGER, over(*slots), reason="医生外出", target=target)
    await carried_out(session, row)
    return row


async def carried_out(session: AsyncSession, row: ScheduleChange) -> None:
    for relocation in await session.scalars(select(Relocation.id).where(Relocation.change_id == row.id)):
        await carrying.carry_out(session, relocation)


async def relocation(session: AsyncSession, row: Appointment) -> Relocation:
    query = select(Relocation).where(Relocation.appointment_id == row.id).order_by(Relocation.id.desc())
    found = (await session.scalars(query.execution_options(populate_existing=True))).first()
    assert found is not None
    return found


async def told(session: AsyncSession, about: UUID) -> list[str]:
    query = select(Message.template).where(Message.subject_id == about).order_by(Message.id)
    return list(await session.scalars(query))


async def refunds(session: AsyncSession, row: Appointment) -> list[tuple[str, int]]:
    payment = await bill(session, row)
    found = await session.scalars(select(Refund).where(Refund.payment_id == payment.id))
    return [(one.reason, one.amount) for one in found]


async def places(session: AsyncSession, slot: Slot) -> tuple[int, int, int]:
    await session.refresh(slot)
    return slot.capacity, slot.remaining, slot.taken


async def published(session: AsyncSession, row: Appointment) -> list[str]:
    query = select(OutboxEvent.type).where(OutboxEvent.stream == row.stream).order_by(OutboxEvent.sequence)
    return list(await session.scalars(query))


async def due(session: AsyncSession, kind: str, subject: UUID) -> Sequence[Intent]:
    query = select(Intent).where(
        Intent.kind == kind, Intent.subject == str(subject), Intent.done_at.is_(None)
    )
    return (await session.scalars(query)).all()


async def moved(
    session: AsyncSession, context: Context, patient: Patient, hours: int = 5
) -> tuple[Appointment, Slot]:
    """From two hours ahead to later."""
    slot, later = await a_slot(session, hours=2), await a_slot(session, hours=hours)
    row = await booked(session, context, patient, slot)
    await stops(session, slot, target=to(later))
    return row, later


def copy_of(row: Appointment, slot: Slot) -> Appointment:
    """The same patient has a place there too."""
    return Appointment(
        id=new_id(), person_id=row.person_id, account_id=row.account_id, slot_id=slot.id,
        practitioner_id=slot.practitioner_id, department_code=row.department_code, eligibility_id=row.eligibility_id,
        day=slot.day, starts_at=slot.starts_at, ends_at=slot.ends_at, serial_number=1, mode="video",
        hold_expires_at=row.hold_expires_at,
    )  # fmt: skip
