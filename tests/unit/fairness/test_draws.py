"""A release from the first ticket to the last place."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from backend.appointment.model import Appointment
from backend.context import Context
from backend.fairness import draw
from backend.fairness.model import ReleaseDraw
from backend.fairness.rules import order_of
from backend.patient import queries as patients
from backend.patient import service as registry
from backend.schedule.model import Slot
from backend.wiring import handlers
from foundation.db.intents import Intent, due_ids, run_one
from foundation.db.unit_of_work import Database, unit_of_work
from tests.builders.requests import Headers, a_person
from tests.builders.visits import Patient, a_slot, eligible
from tests.database import SharedClock, moves_on
from tests.small_world import Resident

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("a_minute_of_lots")]
Person = tuple[Patient, Headers, UUID]


async def people(context: Context, count: int) -> list[Person]:
    """Verified, consenting, eligible today, each with a session."""
    found = []
    for number in range(count):
        resident = Resident(
            f"赵{'一二三四五六七八九十'[number % 10]}",
            date(1970, 1, 1 + number),
            901,
            "19900000001",
            f"o-draw-{number}",
        )
        patient, headers = await a_person(context, resident)
        async with unit_of_work(context.db) as session:
            decision = await eligible(session, patient)
        found.append((patient, headers, decision.id))
    return found


async def release(context: Context, *, places: int = 2, hours: Sequence[int] = (30,)) -> list[Slot]:
    """Slots of one doctor's day that were released this second, with so many places each."""
    draw.forget()
    async with unit_of_work(context.db) as session:
        slots = [await a_slot(session, hours=one) for one in hours]
        await session.execute(
            update(Slot)
            .where(Slot.id.in_([slot.id for slot in slots]))
            .values(
                released_at=context.clock.now().replace(microsecond=0), capacity=places, remaining=places,
                held_follow_up=0, held_staff=0, held_referral=0,
            )
        )  # fmt: skip
    return slots


def wish(person: Person, *slots: Slot) -> dict[str, object]:
    patient, _, decision = person
    return {
        "person_id": str(patient.person.id), "slot_ids": [str(slot.id) for slot in slots],
        "eligibility_id": str(decision),
    }  # fmt: skip


async def asks(api: httpx.AsyncClient, person: Person, *slots: Slot) -> str:
    answer = await api.post("/booking-tickets", json=wish(person, *slots), headers=person[1])
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "queued"
    return str(answer.json()["id"])


async def run_due(context: Context) -> None:
    for intent_id in await due_ids(context.db):
        await run_one(context.db, context, handlers(), intent_id)


async def held(db: Database) -> list[UUID]:
    async with unit_of_work(db) as session:
        return list(await session.scalars(select(Appointment.person_id)))


async def state(api: httpx.AsyncClient, person: Person, ticket: str) -> dict[str, object]:
    found: dict[str, object] = (await api.get(f"/booking-tickets/{ticket}", headers=person[1])).json()
    return found


async def test_who_comes_in_the_first_seconds_is_drawn_and_the_seed_explains_the_order(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """N7: with two places and five persons, two are drawn by the seed; arriving first brings nothing."""
    crowd, (slot,) = await people(running, 5), await release(running)
    tickets = [await asks(api, person, slot) for person in crowd]
    assert await held(running.db) == []
    await run_due(running)
    assert await held(running.db) == []

    moves_on(clock, seconds=61)
    await run_due(running)

    async with unit_of_work(running.db) as session:
        row = (await session.scalars(select(ReleaseDraw))).one()
    assert row.seed is not None
    assert (row.tickets, row.given) == (5, 2)
    winners = order_of(row.seed, [person[0].person.id for person in crowd])[:2]
    assert sorted(await held(running.db)) == sorted(winners)
    found = [await state(api, person, ticket) for person, ticket in zip(crowd, tickets, strict=True)]
    assert sorted(str(one["state"]) for one in found) == ["lost", "lost", "lost", "won", "won"]
    won = next(one for one in found if one["state"] == "won")
    person = crowd[found.index(won)]
    shown = await api.get(f"/appointments/{won['appointment_id']}", headers=person[1])
    assert shown.json()["state"] == "pending"


async def test_a_hundred_presses_of_one_person_are_one_ticket(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    (person, other), (slot,) = await people(running, 2), await release(running, places=1)
    await asks(api, other, slot)
    ids = {await asks(api, person, slot) for _ in range(30)}
    assert len(ids) == 1

    moves_on(clock, seconds=61)
    await run_due(running)

    async with unit_of_work(running.db) as session:
        assert (await session.scalars(select(ReleaseDraw.tickets))).one() == 2


async def test_while_places_are_drawn_the_usual_way_is_closed(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """A robot that knows the address of the booking route is told to draw a ticket like everybody."""
    (person,), (slot,) = await people(running, 1), await release(running)
    body = wish(person, slot)
    body["slot_id"] = body.pop("slot_ids")[0]  # type: ignore[index]

    refused = await api.post("/appointments", json=body, headers=person[1])

    assert (refused.status_code, refused.json()["code"]) == (409, "draw_open")
    moves_on(clock, seconds=61)
    assert (await api.post("/appointments", json=body, headers=person[1])).status_code == 201


async def test_after_the_draw_the_rest_is_booked_directly(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    (early, late), (slot,) = await people(running, 2), await release(running, places=3)
    await asks(api, early, slot)
    moves_on(clock, seconds=61)
    await run_due(running)

    answer = await api.post("/booking-tickets", json=wish(late, slot), headers=late[1])

    assert answer.json()["state"] == "direct"
    body = wish(late, slot)
    body["slot_id"] = body.pop("slot_ids")[0]  # type: ignore[index]
    assert (await api.post("/appointments", json=body, headers=late[1])).status_code == 201


async def test_who_wished_for_other_times_too_gets_one_of_them(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    crowd, slots = await people(running, 3), await release(running, places=1, hours=(30, 31, 32))
    tickets = [await asks(api, person, *slots) for person in crowd]

    moves_on(clock, seconds=61)
    await run_due(running)

    found = [await state(api, person, ticket) for person, ticket in zip(crowd, tickets, strict=True)]
    assert [one["state"] for one in found] == ["won"] * 3
    async with unit_of_work(running.db) as session:
        used = set(await session.scalars(select(Appointment.slot_id)))
    assert used == {slot.id for slot in slots}


async def test_a_worker_that_dies_in_the_middle_gives_nobody_two_places(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    crowd, (slot,) = await people(running, 4), await release(running)
    for person in crowd:
        await asks(api, person, slot)
    moves_on(clock, seconds=61)
    await run_due(running)
    async with unit_of_work(running.db) as session:
        await session.execute(update(Intent).where(Intent.kind == draw.DRAW).values(done_at=None))
        before = await held(running.db)
    async for name in running.redis.scan_iter("draw:*:results"):
        await running.redis.delete(name)

    await run_due(running)

    assert await held(running.db) == before
    async with unit_of_work(running.db) as session:
        left = await session.scalar(select(Slot.remaining).where(Slot.id == slot.id))
        draws = await session.scalar(select(func.count()).select_from(ReleaseDraw))
    assert (left, draws) == (0, 1)


async def test_nobody_takes_a_ticket_for_somebody_elses_person(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """And a grant that ends before the draw closes is worth nothing: the person's other account takes its turn."""
    (mine, thief), slots = await people(running, 2), await release(running, places=1, hours=(30, 31))

    stolen = await api.post("/booking-tickets", json=wish(mine, slots[1]), headers=thief[1])

    assert stolen.status_code == 404
    async with unit_of_work(running.db) as session:
        code = await registry.make_grant_code(session, mine[0].actor, mine[0].person.id)
        await registry.redeem_grant_code(session, thief[0].actor, code, "女儿")
        grant = await patients.grant_on(session, thief[0].actor, mine[0].person.id)
    assert (
        await api.post("/booking-tickets", json=wish(mine, slots[1]), headers=thief[1])
    ).status_code == 202
    ticket = await asks(api, mine, slots[0])
    async with unit_of_work(running.db) as session:
        await registry.revoke_grant(session, mine[0].actor, mine[0].person.id, grant.id)

    moves_on(clock, seconds=61)
    await run_due(running)

    assert (await state(api, mine, ticket))["state"] == "won"
    async with unit_of_work(running.db) as session:
        assert (await session.scalars(select(Appointment.slot_id))).all() == [slots[0].id]


async def test_places_of_those_who_are_refused_go_to_the_next_in_the_same_round(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """Nine of ten have an eligibility of somebody else; the tenth gets the place wherever she was drawn."""
    crowd, (slot,) = await people(running, 10), await release(running, places=1)
    tickets = []
    for person in crowd:
        tickets.append(await asks(api, (person[0], person[1], crowd[0][2]), slot))

    moves_on(clock, seconds=61)
    await run_due(running)

    found = [await state(api, person, ticket) for person, ticket in zip(crowd, tickets, strict=True)]
    assert found[0]["state"] == "won"
    assert {one["code"] for one in found[1:]} <= {"eligibility_not_found", "sold_out"}


async def test_a_ticket_is_shown_to_its_account_alone(api: httpx.AsyncClient, running: Context) -> None:
    (mine, other), (slot,) = await people(running, 2), await release(running)
    ticket = await asks(api, mine, slot)

    assert (await state(api, other, ticket))["state"] == "gone"
    for wrong in ("x", ticket[:-1], ticket.replace("-", "+", 1)):
        assert (await api.get(f"/booking-tickets/{wrong}", headers=mine[1])).status_code == 404


async def test_tickets_of_two_days_are_no_one_release(api: httpx.AsyncClient, running: Context) -> None:
    (person,), slots = await people(running, 1), await release(running, hours=(30, 60))

    answer = await api.post("/booking-tickets", json=wish(person, *slots), headers=person[1])

    assert (answer.status_code, answer.json()["issues"][0]["code"]) == (422, "not_one_release")


async def test_before_the_release_there_is_no_ticket(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    (person,), (slot,) = await people(running, 1), await release(running)
    async with unit_of_work(running.db) as session:
        later = clock.now() + timedelta(minutes=5)
        await session.execute(update(Slot).where(Slot.id == slot.id).values(released_at=later))
    draw.forget()

    answer = await api.post("/booking-tickets", json=wish(person, slot), headers=person[1])

    assert (answer.status_code, answer.json()["code"]) == (409, "not_released")


async def test_a_draw_that_nobody_resolved_is_asked_for_again_by_who_waits(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    (person,), (slot,) = await people(running, 1), await release(running)
    ticket = await asks(api, person, slot)
    async with unit_of_work(running.db) as session:
        await session.execute(update(Intent).where(Intent.kind == draw.DRAW).values(done_at=clock.now()))
    moves_on(clock, seconds=63)
    assert (await state(api, person, ticket))["state"] == "drawing"

    await run_due(running)

    assert (await state(api, person, ticket))["state"] == "won"


async def test_two_phones_of_one_person_draw_once(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    (person, *others), (slot,) = await people(running, 3), await release(running, places=5)

    await asyncio.gather(*(asks(api, one, slot) for one in (person, person, *others, person)))
    moves_on(clock, seconds=61)
    await run_due(running)

    assert len(await held(running.db)) == 3
