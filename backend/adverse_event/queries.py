"""Reads about adverse events: the quality department sees all, everybody else her own."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.adverse_event.model import AdverseEvent, AdverseReport
from backend.adverse_event.states import WAITING, AdverseEventState
from backend.appointment.model import Appointment
from backend.encounter.model import Encounter
from backend.patient.model import Person
from foundation.actor import Actor
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound

MOST = 200
LATELY = timedelta(days=14)


async def visible(session: AsyncSession, actor: Actor, event_id: UUID) -> AdverseEvent:
    """By id; `NotFound` for who neither reported it nor works in the quality department."""
    row = await session.get(AdverseEvent, event_id)
    if row is None or not (actor.has("quality") or row.reporter_id == actor.id):
        raise NotFound("没有找到该不良事件")
    return row


async def listed(session: AsyncSession, actor: Actor, *, closed: bool = False) -> Sequence[AdverseEvent]:
    """What waits for the quality department first, grave harm at the top; then the newest."""
    waits = AdverseEvent.state.in_(WAITING)
    query = (
        select(AdverseEvent)
        .where((AdverseEvent.state == AdverseEventState.CLOSED) == closed)
        .order_by(waits.desc(), (waits & AdverseEvent.urgent).desc(), AdverseEvent.reported_at.desc())
        .limit(MOST)
    )
    if not actor.has("quality"):
        query = query.where(AdverseEvent.reporter_id == actor.id)
    return (await session.scalars(query)).all()


async def reports(session: AsyncSession, event_id: UUID) -> Sequence[AdverseReport]:
    """All that was told about an event, in its order."""
    query = select(AdverseReport).where(AdverseReport.event_id == event_id).order_by(AdverseReport.sequence)
    return (await session.scalars(query)).all()


async def visit(session: AsyncSession, actor: Actor, number: UUID) -> Encounter | None:
    """By its own id or the one the city knows it by (the appointment's); for a doctor only a visit of hers."""
    query = select(Encounter).where(or_(Encounter.id == number, Encounter.appointment_id == number))
    if actor.has("doctor"):
        query = query.where(Encounter.practitioner_id == actor.id)
    return await session.scalar(query)


async def lately(session: AsyncSession, doctor_id: UUID | None) -> Sequence[tuple[Appointment, Person]]:
    """The doctor's visits of the last two weeks, to choose from."""
    query = (
        select(Appointment, Person)
        .join(Encounter, Encounter.appointment_id == Appointment.id)
        .join(Person, Person.id == Encounter.person_id)
        .where(
            Encounter.practitioner_id == doctor_id,
            Appointment.starts_at > clock_of(session).now() - LATELY,
        )
        .order_by(Appointment.starts_at.desc())
        .limit(100)
    )
    return [(booked, person) for booked, person in await session.execute(query)]
