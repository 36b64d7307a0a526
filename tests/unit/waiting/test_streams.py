"""The waiting room pushed: from whose queue, and after the line to Valkey was lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.types import Message, Scope

from backend.app import create_app
from backend.appointment.model import Appointment
from backend.context import Context
from backend.live import Live
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person
from tests.builders.visits import waiting
from tests.small_world import DOCTOR, SECOND_DOCTOR

pytestmark = pytest.mark.anyio
SOON = 10.0
"""Less than a heartbeat."""


@asynccontextmanager
async def room(running: Context, headers: Headers, appointment: UUID) -> AsyncIterator[asyncio.Queue[bytes]]:
    """What the stream of this appointment says."""
    async with stream(running, headers, f"/api/v1/appointments/{appointment}/waiting/events") as said:
        yield said


@asynccontextmanager
async def stream(running: Context, headers: Headers, path: str) -> AsyncIterator[asyncio.Queue[bytes]]:
    """What it says, bit by bit, and nothing at its end; httpx would wait for that end."""
    said: asyncio.Queue[bytes] = asyncio.Queue()
    stays = asyncio.Event()

    async def receive() -> Message:
        await stays.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body") or (message["type"] == "http.response.body" and not message.get("more_body")):
            await said.put(message["body"])

    scope: Scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("test", 80), "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    listening = asyncio.create_task(create_app(running)(scope, receive, send))
    try:
        yield said
    finally:
        stays.set()
        await listening


async def next_of(said: asyncio.Queue[bytes]) -> bytes:
    async with asyncio.timeout(SOON):
        return await said.get()


async def test_after_a_hand_over_the_new_doctors_queue_is_listened_to(running: Context) -> None:
    patient, headers = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await waiting(session, running, patient)
    async with room(running, headers, visit.appointment_id) as said:
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
