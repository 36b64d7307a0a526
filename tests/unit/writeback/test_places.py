"""A place of the hospital that we sold is taken there, given back there, exchanged there; in the order in which it happened."""

from datetime import datetime

import pytest
from sqlalchemy import select

from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.context import Context
from backend.encounter import service as visiting
from backend.encounter.tasks import mark_noshow
from backend.payment.rules import RefundReason
from backend.rescheduling import service as changing
from backend.rescheduling.queries import Scope
from backend.schedule import rules as selling
from backend.schedule.queries import pool
from backend.timetable.rules import Standing
from backend.wiring.hospital_places import standings
from backend.writeback.model import WriteBack
from backend.writeback.tasks import send
from foundation.actor import SYSTEM
from foundation.db.intents import TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.visits import a_patient, a_slot, booked, requested
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR
from tests.town import Town
from tests.unit.rescheduling.changing import carried_out, to
from tests.unit.timetable.weeks import MANAGER
from tests.unit.writeback.hospital import (
    EIGHT,
    NINE,
    appointment,
    mirrored,
    reads,
    slot,
    sold,
    steps,
    theirs,
    writes,
    written,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def mirror(running: Context) -> None:
    await mirrored(running)


async def on_sale(context: Context, number: str, clock: SharedClock) -> bool:
    row = await slot(context, number)
    return selling.on_sale(pool(row), clock.now()) and row.remaining > 0


async def test_a_registration_names_the_hospitals_slot(running: Context, town: Town, mirror: None) -> None:
    _, appointment_id = await sold(running)

    await writes(running)

    [(operation, body)] = written(town)
    assert (operation, body["slot_id"]) == ("write-registration", EIGHT)
    assert body["appointment_id"] == str(appointment_id)


async def test_a_registration_of_a_place_of_ours_names_none(running: Context, town: Town) -> None:
    async with unit_of_work(running.db) as session:
        await booked(session, running, await a_patient(session))

    await writes(running)

    [(_, body)] = written(town)
    assert body["slot_id"] == ""


async def test_what_is_busy_there_because_we_took_it_is_no_problem(
    running: Context, town: Town, mirror: None
) -> None:
    await sold(running)
    assert (await reads(running, theirs(EIGHT, "busy"), theirs(NINE))).problems == []

    await writes(running)
    assert (await reads(running, theirs(EIGHT, "busy"), theirs(NINE))).problems == []


async def test_what_is_busy_there_and_only_held_here_is_a_problem(running: Context, mirror: None) -> None:
    """Nobody has paid: the hospital has not heard of it, so somebody there took it."""
    wanted = await slot(running, EIGHT)
    async with unit_of_work(running.db) as session:
        await requested(session, await a_patient(session), wanted)

    done = await reads(running, theirs(EIGHT, "busy"), theirs(NINE))

    assert [one.split()[-1] for one in done.problems] == ["院内也已占用，但有患者已预约"]


async def test_a_cancelled_place_is_given_back_there_and_sold_again_after_a_reading(
    running: Context, town: Town, mirror: None, clock: SharedClock
) -> None:
    patient, appointment_id = await sold(running)
    await writes(running)
    async with unit_of_work(running.db) as session:
        row = await session.get_one(Appointment, appointment_id)
        await visiting.cancel_by_patient(session, patient.actor, row)
    assert not await on_sale(running, EIGHT, clock)

    await reads(running, theirs(EIGHT), theirs(NINE))
    assert not await on_sale(running, EIGHT, clock), "the hospital has not heard of it yet"
    await writes(running)
    assert not await on_sale(running, EIGHT, clock), "the hospital was not read since"
    await reads(running, theirs(EIGHT, "busy"), theirs(NINE))
    assert not await on_sale(running, EIGHT, clock), "it says that somebody has it"
    await reads(running, theirs(EIGHT), theirs(NINE))

    assert await on_sale(running, EIGHT, clock)
    [_, (operation, body)] = written(town)
    assert (operation, body["slot_id"], body["appointment_id"]) == (
        "write-cancellation",
        EIGHT,
        str(appointment_id),
    )
    assert body["reason"]


async def test_a_hold_nobody_paid_is_sold_again_at_once_and_the_hospital_hears_nothing(
    running: Context, town: Town, mirror: None, clock: SharedClock
) -> None:
    wanted = await slot(running, EIGHT)
    async with unit_of_work(running.db) as session:
        row = await requested(session, await a_patient(session), wanted)
        await booking.cancel(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY, "system")

    await writes(running)

    assert await on_sale(running, EIGHT, clock)
    assert written(town) == []


async def test_a_visit_cancelled_before_the_hospital_heard_of_it_takes_no_place_there(
    running: Context, town: Town, mirror: None
) -> None:
    _, appointment_id = await sold(running)
    async with unit_of_work(running.db) as session:
        row = await session.get_one(Appointment, appointment_id)
        await booking.cancel(session, SYSTEM, row, RefundReason.DOCTOR_CANCELLED, "hospital")

    await writes(running)

    assert [(operation, body["slot_id"]) for operation, body in written(town)] == [
        ("write-registration", ""),
        ("write-cancellation", EIGHT),
    ]


async def test_who_never_came_leaves_no_planned_visit(
    running: Context, town: Town, clock: SharedClock
) -> None:
    async with unit_of_work(running.db) as session:
        row = await booked(session, running, await a_patient(session))
    await writes(running)
    moves_on(clock, hours=3)

    await mark_noshow(Work(running, row.id))
    await mark_noshow(Work(running, row.id))
    await writes(running)

    assert (await appointment(running, row.id)).state == "noshow"
    assert [operation for operation, _ in written(town)] == ["write-registration", "write-cancellation"]


async def moved(context: Context, frm: str, to_number: str) -> None:
    """The hospital moves whoever has one place to the other."""
    old, new = await slot(context, frm), await slot(context, to_number)
    async with unit_of_work(context.db) as session:
        scope = Scope(DOCTOR.id, None, old.starts_at, old.ends_at)
        change = await changing.stop(session, MANAGER, scope, reason="医生外出", target=to(new))
        await carried_out(session, change)


async def test_a_moved_visit_exchanges_the_places(
    running: Context, town: Town, mirror: None, clock: SharedClock
) -> None:
    _, appointment_id = await sold(running)
    await writes(running)

    await moved(running, EIGHT, NINE)
    async with unit_of_work(running.db) as session:
        left = (await slot(running, EIGHT)).id
        assert (await standings(session, [left]))[left] == Standing.UNDER_WAY
    await writes(running)

    [_, (operation, body)] = written(town)
    row = await appointment(running, appointment_id)
    assert (operation, body["slot_id"], body["serial_number"]) == ("write-move", NINE, row.serial_number)
    async with unit_of_work(running.db) as session:
        found = await standings(session, [left, row.slot_id])
    assert found == {row.slot_id: Standing.TAKEN}


async def test_two_moves_reach_the_hospital_one_after_the_other(running: Context, town: Town) -> None:
    async with unit_of_work(running.db) as session:
        first, second, third = [await a_slot(session, hours=hours) for hours in (2, 4, 6)]
        row = await booked(session, running, await a_patient(session), first)
    await writes(running)
    for old, new in ((first, second), (second, third)):
        async with unit_of_work(running.db) as session:
            scope = Scope(DOCTOR.id, None, old.starts_at, old.ends_at)
            change = await changing.stop(session, MANAGER, scope, reason="医生外出", target=to(new))
            await carried_out(session, change)
    async with unit_of_work(running.db) as session:
        earlier, later = await session.scalars(
            select(WriteBack.id).where(WriteBack.step == "move").order_by(WriteBack.id)
        )

    with pytest.raises(TryLater):
        await send(Work(running, later))
    await send(Work(running, earlier))
    await send(Work(running, later))

    assert [operation for operation, _ in written(town)] == ["write-registration", "write-move", "write-move"]
    (_, last) = written(town)[-1]
    assert datetime.fromisoformat(last["starts_at"]) == third.starts_at
    assert (await appointment(running, row.id)).slot_id == third.id


async def test_a_place_that_was_taken_there_meanwhile_is_a_problem_until_it_is_settled(
    running: Context, town: Town, mirror: None
) -> None:
    _, appointment_id = await sold(running)
    town.gateway.refuses(422, "place_taken", "已被占用")
    await writes(running)
    town.gateway.reset()

    done = await reads(running, theirs(EIGHT, "busy"), theirs(NINE))

    assert [one.split()[-1] for one in done.problems] == ["院内已被占用，请为患者改约或退费"]
    assert (await steps(running))[0] == ("registration", "place_taken")
    await moved(running, EIGHT, NINE)
    await writes(running)
    done = await reads(running, theirs(EIGHT, "busy"), theirs(NINE, "busy"))
    assert done.problems == []
    assert (await appointment(running, appointment_id)).slot_id == (await slot(running, NINE)).id


async def test_another_refusal_of_the_hospital_explains_no_busy_slot(
    running: Context, town: Town, mirror: None
) -> None:
    await sold(running)
    town.gateway.refuses(422, "hospital_refused", "期已结账")
    await writes(running)

    done = await reads(running, theirs(EIGHT, "busy"), theirs(NINE))

    assert [one.split()[-1] for one in done.problems] == ["院内也已占用，但有患者已预约"]
