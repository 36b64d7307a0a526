"""Presses that go to the database together: from two processes, by people who press again, and with a crash in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import func, select, text

from backend.appointment.holding import Held, Press, Replay
from backend.appointment.model import Appointment
from backend.appointment.rules import Wish
from backend.appointment.service import request_together
from backend.context import Context
from backend.payment.model import FeeLine, Payment, Tender
from backend.schedule.model import Slot
from backend.wiring import handlers
from foundation.db.audit import AuditEvent
from foundation.db.guards import without_guard
from foundation.db.idempotency import IdempotencyKey
from foundation.db.intents import Intent, due_ids, run_one
from foundation.db.sharing import shared
from foundation.db.unit_of_work import Database, connect, unit_of_work
from foundation.errors import Unavailable
from foundation.together import LATER, Together
from tests.builders.visits import Patient, eligible
from tests.database import SharedClock, moves_on
from tests.races.lining_up import both, holding, kinds, people, wait_for
from tests.races.test_booking_races import SLOT, slots, sold

pytestmark = pytest.mark.anyio

TABLES = (Appointment, Payment, FeeLine, Tender, IdempotencyKey)


def answer(held: Held) -> tuple[int, bytes]:
    return 201, str(held.row["id"]).encode()


async def press_of(db: Database, patient: Patient, slot: Slot, key: str = "") -> Press:
    """One press, resting on a decision that stands already."""
    async with unit_of_work(db) as session:
        decision = await eligible(session, patient)
    return Press(
        patient.actor,
        patient.person.id,
        slot.id,
        decision.id,
        "",
        Wish("video"),
        patient.account,
        key,
        b"d" * 32,
    )


async def together(db: Database, presses: Sequence[Press]) -> list[Any]:
    """As the API asks: through the process's own line."""

    async def hold(on: Database, group: Sequence[Press]) -> Sequence[Any]:
        return await request_together(on, group, answer)

    line: Together[Press, Any] = shared(db, hold, keys=lambda press: press.keys)
    return await asyncio.gather(*map(line.ask, presses), return_exceptions=True)


@asynccontextmanager
async def another_process(db: Database) -> AsyncIterator[Database]:
    """With connections and a line of its own."""
    other = connect(db.engine.url.render_as_string(hide_password=False), db.clock, pool=4)
    try:
        yield other
    finally:
        await other.engine.dispose()


async def counted(db: Database) -> list[int]:
    """Rows of every table a booking writes."""
    async with unit_of_work(db) as session:
        return [await session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


async def race_of_two_processes(db: Database) -> tuple[list[Any], Slot]:
    """Four people press in each of two processes for three places."""
    (slot,) = await slots(db, 1, places=3)
    presses = [await press_of(db, one, slot) for one in await people(db, 8)]
    async with another_process(db) as other:
        works = (request_together(db, presses[:4], answer), request_together(other, presses[4:], answer))
        found = await both(db, *works, lock=SLOT, slots=[slot.id])
    return [one for group in found for one in (group if isinstance(group, list) else [group])], slot


async def test_two_processes_sell_exactly_what_there_is(db: Database) -> None:
    found, slot = await race_of_two_processes(db)

    assert kinds(found).count("Conflict") == 5
    assert await sold(db, slot) == (0, [1, 2, 3])


async def test_without_its_guard_two_processes_sell_places_twice(db: Database) -> None:
    """The twin."""
    with without_guard("slot_take", allowed=True):
        _, slot = await race_of_two_processes(db)

    assert await sold(db, slot) == (0, [1, 1, 2, 2, 3, 3])


async def pressed_in_two_processes(db: Database) -> list[Any]:
    """The same press with the same key, twice in each."""
    (slot,) = await slots(db, 1)
    (patient,) = await people(db, 1)
    press = await press_of(db, patient, slot, "press-0001")
    async with another_process(db) as other:
        first, second = await asyncio.gather(together(db, [press, press]), together(other, [press, press]))
    return [*first, *second]


async def test_the_same_press_in_two_processes_is_one_booking_with_one_answer(db: Database) -> None:
    found = await pressed_in_two_processes(db)

    made = [one for one in found if isinstance(one, Held)]
    again = [one for one in found if isinstance(one, Replay)]
    assert (len(made), len(again)) == (1, 3)
    assert {one.body for one in again} == {str(made[0].row["id"]).encode()}
    assert await counted(db) == [1, 1, 1, 1, 1]


async def test_without_the_kept_answer_the_same_press_is_answered_once_and_then_refused(db: Database) -> None:
    """The twin."""
    with without_guard("kept_answer", allowed=True):
        found = await pressed_in_two_processes(db)

    assert sorted(getattr(one, "code", "held") for one in found) == ["already_booked"] * 3 + ["held"]


async def test_presses_of_one_group_are_decided_each_for_itself(db: Database) -> None:
    """Sold out, somebody else's decision, a place: three answers, and a line in the audit trail for each."""
    (slot,) = await slots(db, 1, places=1)
    first, second, third = await people(db, 3)
    stranger = await press_of(db, second, slot)
    presses = [
        await press_of(db, first, slot),
        Press(
            third.actor, third.person.id, slot.id, stranger.eligibility_id, "", Wish("video"), third.account
        ),
        stranger,
    ]

    found = await request_together(db, presses, answer)

    assert [getattr(one, "code", "held") for one in found] == ["held", "eligibility_not_found", "sold_out"]
    async with unit_of_work(db) as session:
        query = select(AuditEvent.actor_id, AuditEvent.outcome, AuditEvent.code)
        lines = await session.execute(query.where(AuditEvent.action == "appointment.request"))
        assert {tuple(line) for line in lines} == {
            (first.account, "ok", ""),
            (third.account, "refused", "eligibility_not_found"),
            (second.account, "refused", "sold_out"),
        }


async def test_a_group_does_not_wait_for_a_person_who_is_booked_for_elsewhere(db: Database) -> None:
    (slot,) = await slots(db, 1)
    first, second = await people(db, 2)
    presses = [await press_of(db, one, slot) for one in (first, second)]
    name = f"person:{first.person.id}"
    async with holding(db, "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", name=name):
        left, held = await request_together(db, presses, answer)
        waiting = asyncio.create_task(together(db, presses[:1]))
        await wait_for(db, 1)

    assert left is LATER
    assert isinstance(held, Held)
    assert isinstance((await waiting)[0], Held)


async def run_due(context: Context) -> None:
    """What another worker finds."""
    for intent_id in await due_ids(context.db):
        await run_one(context.db, context, handlers(), intent_id)


async def crash_between_hold_and_payment(running: Context, clock: SharedClock) -> Slot:
    """The process that held the place is gone; eleven minutes later a sweep looks for what is due."""
    (slot,) = await slots(running.db, 1, places=1)
    first, _ = await people(running.db, 2)
    async with another_process(running.db) as gone:
        (held,) = await request_together(gone, [await press_of(running.db, first, slot)], answer)
    assert isinstance(held, Held)
    moves_on(clock, minutes=11)
    await run_due(running)
    return slot


async def test_a_crash_between_hold_and_payment_gives_the_place_back(
    running: Context, clock: SharedClock
) -> None:
    slot = await crash_between_hold_and_payment(running, clock)

    assert await sold(running.db, slot) == (1, [1])
    async with unit_of_work(running.db) as session:
        assert list(await session.scalars(select(Appointment.state))) == ["cancelled"]
        assert list(await session.scalars(select(Payment.state))) == ["cancelled"]


async def test_without_the_intent_of_the_hold_a_crash_keeps_the_place_for_ever(
    running: Context, clock: SharedClock
) -> None:
    """The twin."""
    with without_guard("hold_intent", allowed=True):
        slot = await crash_between_hold_and_payment(running, clock)

    assert await sold(running.db, slot) == (0, [1])


async def test_a_connection_that_dies_in_the_middle_of_a_group_leaves_nothing(db: Database) -> None:
    (slot,) = await slots(db, 1, places=3)
    presses = [await press_of(db, one, slot) for one in await people(db, 2)]
    victims = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with another_process(db) as dying, holding(db, SLOT, slots=[slot.id]):
        work = asyncio.create_task(request_together(dying, presses, answer))
        await wait_for(db, 1)
        async with db.engine.connect() as connection:
            await connection.execute(victims)
        with pytest.raises(Unavailable):
            await work

    assert await sold(db, slot) == (3, [])
    assert await counted(db) == [0] * 5
    async with unit_of_work(db) as session:
        assert (
            await session.scalar(
                select(func.count()).select_from(Intent).where(Intent.kind.like("appointment%"))
            )
            == 0
        )
    assert [type(one) for one in await together(db, presses)] == [Held, Held]


async def test_a_slot_somebody_keeps_locked_holds_up_nobody_elses_booking(db: Database) -> None:
    """Those for the locked slot go alone and wait; the others have their places at once."""
    locked, free = await slots(db, 2)
    first, second = await people(db, 2)
    presses = [await press_of(db, first, locked), await press_of(db, second, free)]
    async with holding(db, SLOT, slots=[locked.id]):
        asked = asyncio.create_task(together(db, presses))
        async with asyncio.timeout(10):
            while await sold(db, free) == (6, []):
                await asyncio.sleep(0.01)

    assert [type(one) for one in await asked] == [Held, Held]
