"""Reads about encounters."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.diagnosis.codes import diagnosis_name
from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING, EncounterState
from backend.patient import queries as patients
from contracts import events
from foundation.actor import Actor
from foundation.errors import NotFound


async def encounter(session: AsyncSession, encounter_id: UUID) -> Encounter:
    """By id, for callers that have checked who asks."""
    row = await session.get(Encounter, encounter_id)
    if row is None:
        raise NotFound("没有找到该次问诊")
    return row


async def visible(session: AsyncSession, actor: Actor, encounter_id: UUID) -> Encounter:
    """For the doctor of the visit or an account with a grant on the patient; `NotFound` for everybody else."""
    row = await encounter(session, encounter_id)
    if actor.kind == "account":
        await patients.grant_on(session, actor, row.person_id)
    elif row.practitioner_id != actor.id:
        raise NotFound("没有找到该次问诊")
    return row


async def doctors_own(session: AsyncSession, actor: Actor, encounter_id: UUID) -> Encounter:
    """Only for its doctor."""
    row = await encounter(session, encounter_id)
    if row.practitioner_id != actor.id:
        raise NotFound("没有找到该次问诊")
    return row


async def running(session: AsyncSession, practitioner_id: UUID) -> int:
    """How many visits a doctor runs now."""
    query = select(func.count()).where(
        Encounter.practitioner_id == practitioner_id, Encounter.state.in_(RUNNING)
    )
    return await session.scalar(query) or 0


async def doctors_list(
    session: AsyncSession, practitioner_id: UUID, day: date
) -> Sequence[tuple[Encounter, Appointment]]:
    """What a doctor has before her: waiting longest first, then running, then today's booked ones."""
    query = (
        select(Encounter, Appointment)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .where(Encounter.practitioner_id == practitioner_id)
        .where(Encounter.state.in_((EncounterState.PLANNED, *RUNNING)) | (Appointment.day == day))
        .order_by(Appointment.checked_in_at.nulls_last(), Appointment.starts_at, Appointment.serial_number)
        .limit(100)
    )
    found = (await session.execute(query)).all()
    order = {AppointmentState.CHECKED_IN: 0, AppointmentState.FULFILLED: 1, AppointmentState.BOOKED: 2}
    rows = [(visit, booked) for visit, booked in found]
    return sorted(rows, key=lambda pair: order.get(pair[1].state, 3))


async def snapshot(session: AsyncSession, row: Encounter) -> events.Visit:
    """The block events of this visit carry."""
    booked = await appointments.appointment(session, row.appointment_id)
    return await appointments.visit_snapshot(session, booked, row.id)


def original(row: Encounter) -> events.Diagnosis:
    """The diagnosis the follow-up is for."""
    return events.Diagnosis(row.original_code, diagnosis_name(row.original_code))
