"""What two patients, or one with two phones, can do to the places of a doctor at the same moment."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text, update

from backend.appointment.model import Appointment
from backend.context import Context
from backend.payment.model import Payment
from backend.schedule.model import Slot
from foundation.db.guards import without_guard
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Conflict
from tests.builders.requests import a_person
from tests.builders.visits import Patient, a_slot, eligible, requested
from tests.policies import numbers
from tests.races.lining_up import both, kinds, people

pytestmark = pytest.mark.anyio

PER_DAY = 3
SLOT = "SELECT id FROM slot WHERE id = ANY(:slots) FOR UPDATE"


async def books(db: Database, patient: Patient, slot: Slot) -> str:
    """With a decision that stands already: making one would put two phones in a line of its own."""
    async with unit_of_work(db) as session:
        decision = await eligible(session, patient)
    async with unit_of_work(db) as session:
        return (await requested(session, patient, slot, decision)).state.value


async def slots(db: Database, count: int, places: int = 6) -> list[Slot]:
    """The doctor's next ones, with so many places left."""
    async with unit_of_work(db) as session:
        found = [await a_slot(session, hours=hours) for hours in range(1, count + 1)]
        ids = [slot.id for slot in found]
        await session.execute(update(Slot).where(Slot.id.in_(ids)).values(capacity=places, remaining=places))
    return found


async def sold(db: Database, slot: Slot) -> tuple[int, list[int]]:
    """Places left and the serial numbers given out."""
    async with unit_of_work(db) as session:
        remaining = await session.scalar(select(Slot.remaining).where(Slot.id == slot.id))
        numbers = await session.scalars(
            select(Appointment.serial_number)
            .where(Appointment.slot_id == slot.id)
            .order_by(Appointment.serial_number)
        )
        return remaining or 0, list(numbers)


async def race_for_the_last_place(db: Database) -> tuple[list[Any], Slot]:
    (slot,) = await slots(db, 1, places=1)
    first, second = await people(db, 2)
    works = [books(db, patient, slot) for patient in (first, second)]
    return await both(db, *works, lock=SLOT, slots=[slot.id]), slot


async def test_the_last_place_is_sold_once(db: Database) -> None:
    results, slot = await race_for_the_last_place(db)

    assert kinds(results) == ["'pending'", "Conflict"]
    assert await sold(db, slot) == (0, [1])


async def test_without_its_guard_the_last_place_is_sold_twice(db: Database) -> None:
    """The twin: it must show the damage, or the test above proves nothing."""
    with without_guard("slot_take", allowed=True):
        results, slot = await race_for_the_last_place(db)

    assert kinds(results) == ["'pending'", "'pending'"]
    assert await sold(db, slot) == (0, [1, 1])


async def race_of_two_phones(db: Database) -> list[Any]:
    """One person with one place left of her quota asks for two at once."""
    (patient,) = await people(db, 1)
    found = await slots(db, PER_DAY + 1)
    with numbers(quota_person_day=PER_DAY, quota_doctor_day=PER_DAY + 1):
        for slot in found[: PER_DAY - 1]:
            await books(db, patient, slot)
        left = found[PER_DAY - 1 :]
        works = [books(db, patient, slot) for slot in left]
        return await both(db, *works, lock=SLOT, slots=[slot.id for slot in left])


async def held_places(db: Database) -> int:
    async with unit_of_work(db) as session:
        return await session.scalar(select(func.count()).select_from(Appointment)) or 0


async def test_one_person_with_two_phones_stays_within_her_quota(db: Database) -> None:
    results = await race_of_two_phones(db)

    assert kinds(results) == ["'pending'", "Conflict"]
    assert next(one for one in results if isinstance(one, Conflict)).code == "quota_used"
    assert await held_places(db) == PER_DAY


async def test_without_its_guard_two_phones_break_the_quota(db: Database) -> None:
    """The twin."""
    with without_guard("person_lock", allowed=True):
        results = await race_of_two_phones(db)

    assert kinds(results) == ["'pending'", "'pending'"]
    assert await held_places(db) == PER_DAY + 1


async def test_a_rush_sells_exactly_what_there_is(db: Database) -> None:
    (slot,) = await slots(db, 1, places=3)
    crowd = await people(db, 9)

    results = await asyncio.gather(*(books(db, one, slot) for one in crowd), return_exceptions=True)

    assert kinds(results) == ["'pending'"] * 3 + ["Conflict"] * 6
    assert await sold(db, slot) == (0, [1, 2, 3])
    async with unit_of_work(db) as session:
        assert await session.scalar(select(func.count()).select_from(Payment)) == 3


async def pressed_four_times(api: httpx.AsyncClient, running: Context) -> list[httpx.Response]:
    """The same press with the same key, all at once."""
    patient, headers = await a_person(running)
    async with unit_of_work(running.db) as session:
        decision = await eligible(session, patient)
        slot = await a_slot(session, hours=1)
    body = {"person_id": str(patient.person.id), "slot_id": str(slot.id), "eligibility_id": str(decision.id)}
    keyed = headers | {"idempotency-key": "press-0001"}
    return await asyncio.gather(*(api.post("/appointments", json=body, headers=keyed) for _ in range(4)))


async def test_the_same_press_twice_at_once_is_one_booking_and_one_answer(
    api: httpx.AsyncClient, running: Context
) -> None:
    answers = await pressed_four_times(api, running)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 3
    assert await held_places(running.db) == 1


async def test_without_the_kept_answer_who_pressed_twice_is_told_that_she_was_late(
    api: httpx.AsyncClient, running: Context
) -> None:
    """The twin: her place is held, and three of four answers tell her that there is none for her."""
    with without_guard("kept_answer", allowed=True):
        answers = await pressed_four_times(api, running)

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def race_for_one_place_twice(db: Database, *, index: bool = True) -> tuple[list[Any], Slot]:
    """One person presses twice, without a key, and both presses have got as far as the slot."""
    (slot,) = await slots(db, 1)
    (patient,) = await people(db, 1)
    if not index:
        async with unit_of_work(db) as session:
            await session.execute(text("DROP INDEX uq_appointment_open"))
    works = [books(db, patient, slot) for _ in range(2)]
    return await both(db, *works, lock=SLOT, slots=[slot.id]), slot


async def test_one_person_pressing_twice_at_once_holds_one_place(db: Database) -> None:
    results, slot = await race_for_one_place_twice(db)

    assert kinds(results) == ["'pending'", "Conflict"]
    assert await sold(db, slot) == (5, [1])


async def test_without_her_lock_the_index_still_lets_her_hold_one_place(db: Database) -> None:
    with without_guard("person_lock", allowed=True):
        results, slot = await race_for_one_place_twice(db)

    assert kinds(results) == ["'pending'", "Conflict"]
    assert next(one for one in results if isinstance(one, Conflict)).code == "already_booked"
    assert await sold(db, slot) == (5, [1])


async def test_without_her_lock_and_the_index_she_holds_two_places(db: Database) -> None:
    """The twin."""
    with without_guard("person_lock", allowed=True):
        results, slot = await race_for_one_place_twice(db, index=False)

    assert kinds(results) == ["'pending'", "'pending'"]
    assert await sold(db, slot) == (4, [1, 2])


async def test_two_presses_without_a_key_hold_one_place_of_the_slot(
    api: httpx.AsyncClient, running: Context
) -> None:
    patient, headers = await a_person(running)
    async with unit_of_work(running.db) as session:
        decision = await eligible(session, patient)
        slot = await a_slot(session, hours=1)
    body = {"person_id": str(patient.person.id), "slot_id": str(slot.id), "eligibility_id": str(decision.id)}

    answers = await asyncio.gather(*(api.post("/appointments", json=body, headers=headers) for _ in range(3)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["code"] == "already_booked"
    assert await sold(running.db, slot) == (slot.capacity - 1, [1])
