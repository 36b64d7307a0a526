"""The waiting room pushed: from whose queue, and after the line to Valkey was lost."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from sqlalchemy import update
from starlette.requests import Request
from starlette.responses import StreamingResponse

from backend.appointment.model import Appointment
from backend.context import Context
from backend.live import Live
from backend.waiting.streams import routes
from foundation.actor import Actor
from foundation.db.unit_of_work import unit_of_work
from tests.builders.visits import Patient, a_patient, waiting
from tests.small_world import DOCTOR, SECOND_DOCTOR

pytestmark = pytest.mark.anyio
SOON = 10.0
"""Less than a heartbeat."""


async def room(running: Context, patient: Patient, appointment: str) -> AsyncIterator[bytes]:
    """What the stream of this appointment says, bit by bit."""

    async def identify(_: Request) -> Actor:
        return patient.actor

    (route,) = routes(running, identify)
    request = Request({"type": "http", "headers": [], "path_params": {"id": appointment}})
    answer = await route.endpoint(request)
    assert isinstance(answer, StreamingResponse)
    return cast("AsyncIterator[bytes]", answer.body_iterator)


async def next_of(said: AsyncIterator[bytes]) -> bytes:
    async with asyncio.timeout(SOON):
        return await anext(said)


async def test_after_a_hand_over_the_new_doctors_queue_is_listened_to(running: Context) -> None:
    async with unit_of_work(running.db) as session:
        patient = await a_patient(session)
        visit = await waiting(session, running, patient)
    said = await room(running, patient, str(visit.appointment_id))
    assert b"event: waiting" in await next_of(said)

    async with unit_of_work(running.db) as session:
        moved = update(Appointment).where(Appointment.id == visit.appointment_id)
        await session.execute(moved.values(practitioner_id=SECOND_DOCTOR.id))
    running.live._wake(f"queue:{DOCTOR.id}", "")
    assert b"event: waiting" in await next_of(said)
    running.live._wake(f"queue:{SECOND_DOCTOR.id}", "")

    assert b"event: waiting" in await next_of(said)


async def test_whoever_watches_looks_again_when_the_line_to_valkey_was_lost(running: Context) -> None:
    """What was announced meanwhile nobody heard."""
    live = Live(running.redis)
    before = live.mark()
    live.start()
    async with asyncio.timeout(SOON):
        while live.mark() == before:
            await asyncio.sleep(0.01)
    mark = live.mark()
    try:
        async with live.watching(["queue:1"]) as watch:
            await running.redis.client_kill_filter(_type="pubsub")

            assert await watch.changed(SOON)
            assert live.changed_since(["queue:1"], mark)
    finally:
        await live.stop()
