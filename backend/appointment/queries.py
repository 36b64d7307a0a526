"""Reads about appointments, and the block that every event of a visit carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.appointment.states import OPEN, AppointmentState
from backend.patient import queries as patients
from backend.patient.model import PersonGrant
from backend.payment import queries as payments
from backend.payment.model import Payment
from backend.payment.rulebook import RefundReason, RuleBook, book_on
from backend.practitioner import queries as practitioners
from contracts import events
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound

SUBJECT = "appointment"
"""What the bill of a place is about."""


@dataclass(frozen=True)
class Cancelling:
    """Which case it would be if the patient cancelled now (practice.md 17), by the rules of the day the bill was opened."""

    book: RuleBook
    reason: RefundReason
    free_until: datetime
    """So long everything goes back."""
    payment: Payment | None


async def appointment(session: AsyncSession, appointment_id: UUID) -> Appointment:
    """By id, for callers that have checked who asks."""
    row = await session.get(Appointment, appointment_id)
    if row is None:
        raise NotFound("没有找到该预约")
    return row


async def visible(session: AsyncSession, actor: Actor, appointment_id: UUID) -> Appointment:
    """An appointment of a person this account may act for, or of the doctor herself; `NotFound` for everybody else."""
    row = await session.get(Appointment, appointment_id)
    if row is None:
        raise NotFound("没有找到该预约")
    if actor.kind == "account":
        await patients.grant_on(session, actor, row.person_id)
    elif actor.has("doctor") and row.practitioner_id != actor.id:
        raise NotFound("没有找到该预约")
    return row


async def of_account(session: AsyncSession, account_id: UUID) -> Sequence[Appointment]:
    """Appointments of everybody the account may act for, newest first."""
    query = (
        select(Appointment)
        .join(PersonGrant, PersonGrant.person_id == Appointment.person_id)
        .where(PersonGrant.account_id == account_id, PersonGrant.revoked_at.is_(None))
        .order_by(Appointment.starts_at.desc(), Appointment.id.desc())
        .limit(100)
    )
    return (await session.scalars(query)).all()


async def held_on(session: AsyncSession, person_id: UUID, day: date) -> int:
    """Places the person holds or used on a day."""
    states = (*OPEN, AppointmentState.FULFILLED)
    query = select(func.count()).where(
        Appointment.person_id == person_id, Appointment.day == day, Appointment.state.in_(states)
    )
    return await session.scalar(query) or 0


async def ahead_of(session: AsyncSession, row: Appointment) -> int:
    """How many people the doctor sees before this one.

    Somebody's turn is her slot, or her check-in when that was later: who comes late stands behind who was there. Who has not
    come yet counts as coming now.
    """
    now = clock_of(session).now()
    turn = func.greatest(Appointment.starts_at, func.coalesce(Appointment.checked_in_at, now))
    mine = max(row.starts_at, row.checked_in_at or now)
    query = select(func.count()).where(
        Appointment.practitioner_id == row.practitioner_id, Appointment.day == row.day, Appointment.id != row.id,
        Appointment.state.in_((AppointmentState.BOOKED, AppointmentState.CHECKED_IN)),
        or_(turn < mine, and_(turn == mine, Appointment.serial_number < row.serial_number)),
    )  # fmt: skip
    return await session.scalar(query) or 0


async def visit_snapshot(
    session: AsyncSession, row: Appointment, encounter_id: UUID | None = None
) -> events.Visit:
    """Everything an event says about the visit it belongs to."""
    person = await patients.person(session, row.person_id)
    doctor = await practitioners.practitioner(session, row.practitioner_id)
    department = await practitioners.department(session, row.department_code)
    return events.Visit(
        appointment_id=row.id, encounter_id=encounter_id, patient=patients.snapshot(person),
        practitioner=practitioners.snapshot(doctor), department=practitioners.department_snapshot(department),
        starts_at=row.starts_at, ends_at=row.ends_at, serial_number=row.serial_number, mode=row.mode,
        kind=row.kind, guardian=row.guardian, eligibility_id=row.eligibility_id,
    )  # fmt: skip


async def cancelling(session: AsyncSession, row: Appointment) -> Cancelling:
    """What is promised before a cancellation, and what is kept when it comes."""
    payment = await payments.of_subject(session, SUBJECT, row.id)
    now = clock_of(session).now()
    book = book_on(local(payment.made_at if payment else now).date())
    free_until = book.cancellation.free_until(starts_at=row.starts_at, paid_at=row.booked_at)
    if row.answer_by is not None and now < row.answer_by:  # the hospital moved it, and she has not agreed
        return Cancelling(book, RefundReason.DOCTOR_CANCELLED, max(free_until, row.answer_by), payment)
    reason = book.cancellation.reason(
        now=now, starts_at=row.starts_at, paid_at=row.booked_at, waiting_since=row.checked_in_at
    )
    return Cancelling(book, reason, free_until, payment)
