"""Reads about stops and moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.appointment.states import OPEN
from backend.patient.model import Person
from backend.payment.model import Payment
from backend.payment.states import PaymentState
from backend.practitioner.model import Practitioner
from backend.rescheduling.model import Relocation, ScheduleChange
from backend.rescheduling.states import OPEN as UNSETTLED
from backend.rescheduling.states import RelocationState
from backend.schedule.model import Slot
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound


@dataclass(frozen=True)
class Scope:
    """What a doctor, or a department, has between two instants."""

    practitioner_id: UUID | None
    department_code: str | None
    starts_at: datetime
    ends_at: datetime

    def slots(self, now: datetime) -> ColumnElement[bool]:
        """Its slots that are not over."""
        whose = (
            Slot.practitioner_id == self.practitioner_id
            if self.practitioner_id is not None
            else Slot.department_code == self.department_code
        )
        return (
            (Slot.starts_at < self.ends_at) & (Slot.ends_at > self.starts_at) & (Slot.ends_at > now) & whose
        )


@dataclass(frozen=True)
class Affected:
    """One appointment in the way, with what she has paid (fen, 0 for a mere hold)."""

    appointment: Appointment
    person: Person
    doctor: Practitioner
    paid: int


async def slots_in(session: AsyncSession, scope: Scope) -> Sequence[Slot]:
    """Slots of the scope by time, stopped ones too."""
    query = select(Slot).where(scope.slots(clock_of(session).now())).order_by(Slot.starts_at, Slot.id)
    return (await session.scalars(query)).all()


async def affected(session: AsyncSession, slot_ids: Sequence[UUID]) -> list[Affected]:
    """Who holds or has a place in these slots and waits for it, in the order in which they would be seen."""
    paid = func.coalesce(Payment.amount, 0)
    query = (
        select(Appointment, Person, Practitioner, paid)
        .join(Person, Person.id == Appointment.person_id)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .outerjoin(
            Payment, (Payment.subject_id == Appointment.id) & (Payment.subject_kind == "appointment")
            & (Payment.state == PaymentState.CONFIRMED),
        )
        .where(Appointment.slot_id.in_(slot_ids), Appointment.state.in_(OPEN))
        .order_by(Appointment.starts_at, Appointment.serial_number)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    return [Affected(*row) for row in (await session.execute(query)).all()]


async def persons_in(session: AsyncSession, slot_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """Who has an open place in which slot, or one that was taken for her and that no job has given her yet."""
    found: dict[UUID, set[UUID]] = {slot_id: set() for slot_id in slot_ids}
    held = select(Appointment.slot_id, Appointment.person_id).where(
        Appointment.slot_id.in_(slot_ids), Appointment.state.in_(OPEN)
    )
    coming = (
        select(Relocation.to_slot_id, Appointment.person_id)
        .join(Appointment, Appointment.id == Relocation.appointment_id)
        .where(Relocation.to_slot_id.in_(slot_ids), Relocation.state.in_(UNSETTLED))
    )
    queries: list[Any] = [held, coming]
    for query in queries:
        for slot_id, person_id in (await session.execute(query)).all():
            found.setdefault(slot_id, set()).add(person_id)
    return found


async def change(session: AsyncSession, change_id: UUID) -> ScheduleChange:
    """By id; `NotFound`."""
    row = await session.get(ScheduleChange, change_id)
    if row is None:
        raise NotFound("没有找到这次停诊或改约")
    return row


async def changes(session: AsyncSession, limit: int = 100) -> Sequence[ScheduleChange]:
    """Newest first."""
    query = (
        select(ScheduleChange).order_by(ScheduleChange.made_at.desc(), ScheduleChange.id.desc()).limit(limit)
    )
    return (await session.scalars(query)).all()


async def counts(session: AsyncSession, change_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many appointments of each change are in which state."""
    query = (
        select(Relocation.change_id, Relocation.state, func.count())
        .where(Relocation.change_id.in_(change_ids))
        .group_by(Relocation.change_id, Relocation.state)
    )
    found: dict[UUID, dict[str, int]] = {change_id: {} for change_id in change_ids}
    for change_id, state, count in (await session.execute(query)).all():
        found[change_id][state.value] = count
    return found


async def relocations(
    session: AsyncSession, change_id: UUID
) -> Sequence[tuple[Relocation, Appointment, Person]]:
    """Everybody whom a change reached."""
    query = (
        select(Relocation, Appointment, Person)
        .join(Appointment, Appointment.id == Relocation.appointment_id)
        .join(Person, Person.id == Appointment.person_id)
        .where(Relocation.change_id == change_id)
        .order_by(Relocation.from_starts_at, Relocation.id)
    )
    return [(one, booked, person) for one, booked, person in (await session.execute(query)).all()]


async def latest(session: AsyncSession, appointment_id: UUID) -> Relocation | None:
    """The newest move of an appointment that was offered to its patient, answered or not."""
    query = (
        select(Relocation)
        .where(Relocation.appointment_id == appointment_id, Relocation.answer_by.is_not(None))
        .order_by(Relocation.id.desc())
        .limit(1)
    )
    found: Relocation | None = await session.scalar(query)
    return found


async def other_offers(session: AsyncSession, row: Relocation) -> Sequence[Relocation]:
    """Earlier moves of the same appointment that nobody has answered."""
    query = select(Relocation).where(
        Relocation.appointment_id == row.appointment_id, Relocation.state == RelocationState.OFFERED,
        Relocation.id != row.id,
    )  # fmt: skip
    return (await session.scalars(query)).all()


async def has_place(session: AsyncSession, person_id: UUID, slot_id: UUID) -> bool:
    """Whether she holds or has a place in a slot."""
    query = select(Appointment.id).where(
        Appointment.slot_id == slot_id, Appointment.person_id == person_id, Appointment.state.in_(OPEN)
    )
    return await session.scalar(query.limit(1)) is not None
