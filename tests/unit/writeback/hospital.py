"""Places of the hospital's own schedule that are sold here, and the jobs that tell the hospital."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from backend.appointment.model import Appointment
from backend.context import Context
from backend.schedule.model import Slot
from backend.timetable import mirroring
from backend.timetable.mirroring import Mirrored
from backend.timetable.model import MirroredSlot, ScheduleSource
from backend.wiring import handlers
from backend.wiring.hospital_places import standings
from backend.writeback.model import WriteBack
from backend.writeback.service import SEND
from contracts import his
from foundation.db.intents import Intent, due_ids, run_one
from foundation.db.unit_of_work import unit_of_work
from tests.builders.visits import Patient, a_patient, booked
from tests.small_world import DOCTOR
from tests.town import Town
from tests.unit.timetable.weeks import MANAGER, MONDAY, an_empty_week

EIGHT, NINE = "院内-08", "院内-09"
HOURS = {EIGHT: 8, NINE: 9}


def theirs(number: str, status: str = "free") -> his.HospitalSlot:
    """A place of the hospital on Monday."""
    start = datetime(MONDAY.year, MONDAY.month, MONDAY.day, HOURS[number] - 8, tzinfo=UTC)
    return his.HospitalSlot(number, DOCTOR.code, "0310", start, start + timedelta(minutes=30), status)


async def mirrored(context: Context) -> None:
    """The doctor's slots come from the hospital: two on Monday, on sale at once."""
    async with unit_of_work(context.db) as session:
        await an_empty_week(session)
        await mirroring.set_source(
            session, MANAGER, department_code="0310", practitioner_id=DOCTOR.id, source="his"
        )
    await reads(context, theirs(EIGHT), theirs(NINE))
    async with unit_of_work(context.db) as session:
        for one in await session.scalars(select(Slot).where(Slot.source == "his")):
            one.released_at = None


async def reads(context: Context, *found: his.HospitalSlot) -> Mirrored:
    """The hospital says this of its schedule just now."""
    async with unit_of_work(context.db) as session:
        source = (await session.scalars(select(ScheduleSource))).one()
        return await mirroring.mirror(session, source.id, found, standings)


async def slot(context: Context, number: str) -> Slot:
    async with unit_of_work(context.db) as session:
        query = select(Slot).join(MirroredSlot, MirroredSlot.slot_id == Slot.id)
        return (await session.scalars(query.where(MirroredSlot.external_id == number))).one()


async def sold(context: Context, number: str = EIGHT) -> tuple[Patient, UUID]:
    """Somebody has booked and paid it; nothing is written yet."""
    wanted = await slot(context, number)
    async with unit_of_work(context.db) as session:
        patient = await a_patient(session)
        row = await booked(session, context, patient, wanted)
        return patient, row.id


async def appointment(context: Context, appointment_id: UUID) -> Appointment:
    async with unit_of_work(context.db) as session:
        return await session.get_one(Appointment, appointment_id)


async def writes(context: Context) -> None:
    """Every step that can be written."""
    for _ in range(10):
        async with unit_of_work(context.db) as session:
            due = await due_ids(context.db)
            query = select(Intent.id).where(Intent.id.in_(due), Intent.kind == SEND)
            found = list(await session.scalars(query.order_by(Intent.id)))
        if not found:
            return
        for intent_id in found:
            await run_one(context.db, context, handlers(), intent_id)


def written(town: Town) -> list[tuple[str, dict[str, Any]]]:
    """What the hospital was told of places, in its order; charges left out."""
    wanted = ("write-registration", "write-move", "write-cancellation")
    return [one for one in town.gateway.received if one[0] in wanted]


async def steps(context: Context) -> list[tuple[str, str]]:
    """Each step with its refusal, in the order in which they were asked for."""
    async with unit_of_work(context.db) as session:
        found = await session.scalars(select(WriteBack).order_by(WriteBack.id))
        return [(one.step, one.refused_code) for one in found]
