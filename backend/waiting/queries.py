"""What the waiting room shows: measured visits, who waits, who could take over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.encounter import queries as encounters
from backend.encounter.model import Encounter
from backend.encounter.queries import Waited
from backend.encounter.rules import time_left
from backend.encounter.states import RUNNING, EncounterState
from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.practitioner.queries import doctors
from backend.shift.service import runs
from backend.waiting import rules
from backend.waiting.model import Handover
from backend.waiting.rules import Expected, Pace
from backend.waiting.states import HandoverState
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound

RECENT = timedelta(days=60)
NEWEST = 20


async def pace_of(session: AsyncSession, practitioner_id: UUID, department_code: str) -> Pace:
    """How long a doctor's visits take: her newest completed ones, else her department's."""
    own = await _lengths(session, Encounter.practitioner_id == practitioner_id)
    department = []
    if len(own) < rules.ENOUGH:
        department = await _lengths(session, Appointment.department_code == department_code)
    return rules.pace(own, department, policy().visit_minutes)


async def _lengths(session: AsyncSession, whose: ColumnElement[bool]) -> list[float]:
    since = clock_of(session).now() - RECENT
    query = (
        select(func.extract("epoch", Encounter.ended_at - Encounter.started_at) / 60)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .where(whose, Encounter.state == EncounterState.COMPLETED, Encounter.ended_at >= since)
        .order_by(Encounter.ended_at.desc())
        .limit(NEWEST)
    )
    return [float(one) for one in await session.scalars(query)]


@dataclass(frozen=True)
class Place:
    """Where somebody stands in the waiting room."""

    ahead: int
    wait: Expected
    pace: Pace
    doctor_busy: bool
    clock: Waited | None
    time_left: timedelta | None


async def place_of(session: AsyncSession, booked: Appointment, visit: Encounter | None) -> Place:
    """Position, expected wait and clock of a booked or waiting patient, as of now."""
    now = clock_of(session).now()
    ahead = await appointments.ahead_of(session, booked)
    found = await pace_of(session, booked.practitioner_id, booked.department_code)
    query = select(Encounter.started_at).where(
        Encounter.practitioner_id == booked.practitioner_id, Encounter.state.in_(RUNNING)
    )
    running = [
        (now - started).total_seconds() / 60
        for started in await session.scalars(query)
        if started is not None
    ]
    until_slot = (booked.starts_at - now).total_seconds() / 60
    wait = rules.expected(found, ahead=ahead, running=sorted(running, reverse=True), until_slot=until_slot)
    clock = left = None
    if visit is not None and booked.state == AppointmentState.CHECKED_IN:
        clock = await encounters.waited(session, visit, booked.department_code)
        left = time_left(
            policy(), counted=clock.counted, waited=clock.waited, kept=visit.place_kept_at is not None
        )
    return Place(ahead, wait, found, bool(running), clock, left)


async def who_waits(session: AsyncSession) -> Sequence[tuple[Encounter, Appointment]]:
    """Everybody who is checked in and not accepted, longest first."""
    query = (
        select(Encounter, Appointment)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .where(Encounter.state == EncounterState.PLANNED, Appointment.state == AppointmentState.CHECKED_IN)
        .order_by(Encounter.clock_started_at, Encounter.id)
        .limit(200)
    )
    return [(visit, booked) for visit, booked in (await session.execute(query)).all()]


async def colleagues(session: AsyncSession, booked: Appointment) -> Sequence[Practitioner]:
    """Doctors filed for the department who are on shift now, without the patient's own."""
    found = [doctor for doctor, _ in await doctors(session, booked.department_code)]
    return [
        doctor for doctor in found if doctor.id != booked.practitioner_id and await runs(session, doctor.id)
    ]


async def proposal(session: AsyncSession, encounter_id: UUID) -> Handover | None:
    """The open proposal for a visit."""
    query = select(Handover).where(
        Handover.encounter_id == encounter_id, Handover.state == HandoverState.PROPOSED
    )
    return await session.scalar(query)


async def handover(session: AsyncSession, handover_id: UUID) -> Handover:
    """By id, for callers that have checked who asks."""
    row = await session.get(Handover, handover_id)
    if row is None:
        raise NotFound("没有找到该转诊建议")
    return row
