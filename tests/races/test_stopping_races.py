"""A doctor's morning is stopped in the very moment in which somebody books it."""

from typing import Any

import pytest
from sqlalchemy import func, select

from backend.appointment.model import Appointment
from backend.notification.model import Message
from backend.rescheduling import carrying, service
from backend.rescheduling.model import Relocation
from backend.rescheduling.queries import Scope
from backend.schedule.model import Slot
from foundation.db.guards import without_guard
from foundation.db.unit_of_work import Database, unit_of_work
from tests.builders.visits import Patient, a_slot, eligible, requested
from tests.races.lining_up import both, people
from tests.unit.timetable.weeks import MANAGER

pytestmark = pytest.mark.anyio
SLOT = "SELECT id FROM slot WHERE id = :slot FOR UPDATE"


async def books(db: Database, patient: Patient, slot: Slot) -> str:
    async with unit_of_work(db) as session:
        decision = await eligible(session, patient)
    async with unit_of_work(db) as session:
        return (await requested(session, patient, slot, decision)).state.value


async def stops(db: Database, slot: Slot) -> int:
    """How many people it found."""
    async with unit_of_work(db) as session:
        scope = Scope(slot.practitioner_id, None, slot.starts_at, slot.ends_at)
        return (await service.stop(session, MANAGER, scope, reason="医生外出")).people


async def race(db: Database) -> tuple[list[Any], list[str]]:
    """What came out, and the states of appointments when all jobs are done."""
    async with unit_of_work(db) as session:
        slot = await a_slot(session, hours=3)
    (patient,) = await people(db, 1)
    results = await both(db, books(db, patient, slot), stops(db, slot), lock=SLOT, slot=slot.id)
    async with unit_of_work(db) as session:
        waiting = (await session.scalars(select(Relocation.id))).all()
    for relocation in waiting:
        async with unit_of_work(db) as session:
            await carrying.carry_out(session, relocation)
    async with unit_of_work(db) as session:
        return results, [one.value for one in await session.scalars(select(Appointment.state))]


async def test_somebody_who_books_while_it_is_stopped_is_found_and_told(db: Database) -> None:
    results, states = await race(db)

    assert results == ["pending", 1]
    assert states == ["cancelled"]


async def test_without_its_guard_she_is_left_waiting_for_nobody(db: Database) -> None:
    """The twin."""
    with without_guard("read_after_stop", allowed=True):
        results, states = await race(db)

    assert results == ["pending", 0]
    assert states == ["pending"]


async def carried_out_twice(db: Database) -> tuple[list[Any], int, int]:
    """Two workers have the job of one of two patients: what came out, how often she was told, places left of six."""
    async with unit_of_work(db) as session:
        slot = await a_slot(session, hours=3)
    patient, other = await people(db, 2)
    await books(db, patient, slot)
    await books(db, other, slot)
    await stops(db, slot)
    async with unit_of_work(db) as session:
        hers = select(Relocation).join(Appointment, Appointment.id == Relocation.appointment_id)
        row = (await session.scalars(hers.where(Appointment.person_id == patient.person.id))).one()

    async def carries_out() -> str:
        async with unit_of_work(db) as session:
            await carrying.carry_out(session, row.id)
        return "done"

    results = await both(db, carries_out(), carries_out(), lock=SLOT, slot=slot.id)
    async with unit_of_work(db) as session:
        told = select(func.count()).where(Message.subject_id == row.appointment_id)
        left = select(Slot.remaining).where(Slot.id == slot.id)
        return results, await session.scalar(told) or 0, await session.scalar(left) or 0


async def test_two_workers_tell_one_patient_once(db: Database) -> None:
    assert await carried_out_twice(db) == (["done", "done"], 1, 5)


async def test_without_their_locks_two_workers_tell_her_twice_and_give_back_a_place_too_many(
    db: Database,
) -> None:
    """The twin."""
    with without_guard("stream_lock", allowed=True), without_guard("row_lock", allowed=True):
        _, told, left = await carried_out_twice(db)

    assert (told, left) == (2, 6)
