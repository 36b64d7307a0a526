"""Every other way to a place while lots are drawn for it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update

from backend.appointment.model import Appointment
from backend.context import Context
from backend.counter import service as counter
from backend.counter.rules import Authority
from backend.schedule.model import Slot
from backend.schedule.rules import Channel
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, staff_session
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK
from tests.unit.fairness.test_draws import Person, people, release

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("a_minute_of_lots")]


async def at_the_counter(
    api: httpx.AsyncClient, running: Context, clerk: Headers, person: Person, slot: Slot
) -> httpx.Response:
    """She came herself, and the clerk is quick."""
    async with unit_of_work(running.db) as session:
        case = await counter.open_case(
            session, CLERK.actor, person[0].person, authority=Authority.IN_PERSON, callback_phone="", proxy_name="",
            note="",
        )  # fmt: skip
    body = {"slot_id": str(slot.id), "eligibility_id": str(person[2])}
    return await api.post(f"/counter/cases/{case.id}/appointments", json=body, headers=clerk)


async def place_of(running: Context, answer: httpx.Response) -> Channel:
    body: dict[str, Any] = answer.json()
    async with unit_of_work(running.db) as session:
        return (await session.get_one(Appointment, body["appointment_id"])).place


async def test_while_lots_are_drawn_the_counter_has_its_own_share_and_no_more(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """N7, N14: a clerk's quick hand does not beat the lot."""
    (first, second), (slot,) = await people(running, 2), await release(running, places=3)
    async with unit_of_work(running.db) as session:
        await session.execute(update(Slot).where(Slot.id == slot.id).values(held_staff=1))
    clerk = await staff_session(running, CLERK)

    kept = await at_the_counter(api, running, clerk, first, slot)
    refused = await at_the_counter(api, running, clerk, second, slot)

    assert kept.status_code == 201, kept.text
    assert await place_of(running, kept) == Channel.STAFF_ASSISTED
    assert (refused.status_code, refused.json()["code"]) == (409, "draw_open")

    moves_on(clock, seconds=61)
    later = await at_the_counter(api, running, clerk, second, slot)
    assert later.status_code == 201, later.text
    assert await place_of(running, later) == Channel.GENERAL


async def test_a_question_takes_no_place_that_is_being_drawn(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """A health consultation (practice.md 6) is no way around the lot."""
    (person,), (slot,) = await people(running, 1), await release(running)
    body = {"person_id": str(person[0].person.id), "slot_id": str(slot.id), "question": "饮食上要注意什么"}

    refused = await api.post("/consultations", json=body, headers=person[1])

    assert (refused.status_code, refused.json()["code"]) == (409, "draw_open")
    moves_on(clock, seconds=61)
    assert (await api.post("/consultations", json=body, headers=person[1])).status_code == 201
