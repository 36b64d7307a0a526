"""A running visit with both sides logged in, over an application that listens on a port: sockets need one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from backend.app import create_app
from backend.context import Context
from backend.encounter.model import Encounter
from foundation.db.unit_of_work import unit_of_work
from foundation.server import listener
from tests.builders.requests import Headers, a_person, staff_session
from tests.builders.visits import Patient, accepted
from tests.small_world import DOCTOR


@dataclass(frozen=True)
class Room:
    """A visit that runs."""

    context: Context
    visit: Encounter
    patient: Patient
    as_patient: Headers
    as_doctor: Headers
    api: httpx.AsyncClient

    @property
    def path(self) -> str:
        """Of the visit."""
        return f"/encounters/{self.visit.id}"


@pytest.fixture
async def served(running: Context) -> AsyncIterator[str]:
    """Address of the whole application; streams are announced as in production."""
    running.db.announce = running.live.announce
    server = listener(create_app(running), "127.0.0.1", 0)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    object.__setattr__(running.settings, "api_url", f"http://127.0.0.1:{port}")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@pytest.fixture
async def room(running: Context, served: str) -> AsyncIterator[Room]:
    """Patient and doctor in a visit."""
    patient, as_patient = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
    as_doctor = await staff_session(running, DOCTOR)
    async with httpx.AsyncClient(base_url=f"{served}/api/v1", trust_env=False, timeout=30) as api:
        yield Room(running, visit, patient, as_patient, as_doctor, api)
