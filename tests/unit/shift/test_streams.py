"""A doctor's live list says nobody's name, but that patients wait: it needs the shift like the page it belongs to."""

import pytest

from backend.context import Context
from backend.shift import service as shifts
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import a_person, staff_session
from tests.builders.visits import on_shift
from tests.database import moves_on
from tests.small_world import DOCTOR
from tests.unit.waiting.test_streams import next_of, stream

pytestmark = pytest.mark.anyio
PATH = "/api/v1/doctor/events"


async def test_a_login_alone_hears_nothing(running: Context) -> None:
    async with stream(running, await staff_session(running, DOCTOR), PATH) as said:
        assert b"no_shift" in await next_of(said)


async def test_a_patient_hears_nothing(running: Context) -> None:
    _, headers = await a_person(running)
    async with stream(running, headers, PATH) as said:
        assert b"forbidden" in await next_of(said)


async def test_within_the_shift_it_tells_of_each_change_and_it_ends_with_the_shift(running: Context) -> None:
    async with unit_of_work(running.db) as session:
        await on_shift(session, running, DOCTOR)
    async with stream(running, await staff_session(running, DOCTOR), PATH) as said:
        assert b"event: queue" in await next_of(said)
        running.live._wake(f"queue:{DOCTOR.id}", "")
        assert b"event: queue" in await next_of(said)

        async with unit_of_work(running.db) as session:
            await shifts.close_shift(session, DOCTOR.actor)
        running.live._wake(f"queue:{DOCTOR.id}", "")

        assert await next_of(said) == b""


async def test_listening_does_not_prolong_the_shift(running: Context) -> None:
    async with unit_of_work(running.db) as session:
        await on_shift(session, running, DOCTOR)
    headers = await staff_session(running, DOCTOR)
    for _ in range(3):
        moves_on(running.clock, minutes=9)
        async with stream(running, headers, PATH) as said:
            assert b"event: queue" in await next_of(said)
    moves_on(running.clock, minutes=4)

    async with stream(running, headers, PATH) as said:
        assert b"no_shift" in await next_of(said)
