"""The listener for the city's supervisors: gateways alone, with order and reason, everything written down and shown."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.chat import service as chat
from backend.chat import tickets
from backend.chat.model import ChatMessage
from backend.context import Context
from backend.encounter.model import Encounter
from backend.supervision import inspecting
from backend.supervision.inspection_door import create_door
from backend.video import looking_in, nodes
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.ids import new_id
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR
from tests.unit.recordings.made import a_visit

pytestmark = pytest.mark.anyio
GATEWAY = "spiffe://internet-hospital/gateway-a"
WHO = {"account": "supervisor", "name": "监管员"}
WHY = {"supervisor": WHO, "authority": "沪卫监〔2026〕12号", "reason": "日常监督检查"}


class Peer:
    """An application as a caller with this certificate meets it."""

    def __init__(self, app: ASGIApp, identity: str) -> None:
        self._app, self._identity = app, identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "extensions": {"peer": {"identity": self._identity}}}, receive, send)


@dataclass
class Door:
    """`ask` as a gateway does."""

    client: httpx.AsyncClient

    async def ask(self, operation: str, **asked: Any) -> httpx.Response:
        headers = {"x-gateway-caller": "supervision"}
        return await self.client.post(f"/supervision/v1/{operation}", json=asked, headers=headers)


async def door_for(running: Context, identity: str) -> httpx.AsyncClient:
    settings = replace(running.settings, supervision_port=1, supervision_callers=(GATEWAY,))
    app = Peer(create_door(replace(running, settings=settings)), identity)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://door")


@pytest.fixture
async def door(running: Context) -> AsyncIterator[Door]:
    async with await door_for(running, GATEWAY) as client:
        yield Door(client)


@pytest.fixture
async def visit(running: Context) -> Encounter:
    await nodes.heartbeat(running.redis, running.settings.media_urls[0], [], 25)
    async with unit_of_work(running.db) as session:
        row = (await a_visit(session, running))[1]
        await chat.say(session, DOCTOR.actor, row, client_id="first-words", kind="text", body="您好")
    return row


async def trail(running: Context) -> list[AuditEvent]:
    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.actor_kind == "platform").order_by(AuditEvent.ordinal)
        return list(await session.scalars(query))


async def notices(running: Context, visit: Encounter) -> list[str]:
    async with unit_of_work(running.db) as session:
        query = select(ChatMessage).where(
            ChatMessage.encounter_id == visit.id, ChatMessage.sender == "system"
        )
        return [row.body for row in await session.scalars(query)]


async def test_a_look_in_from_request_to_end_is_shown_and_written_down(
    running: Context, door: Door, visit: Encounter
) -> None:
    number = str(visit.appointment_id)
    look = (await door.ask("open-look-in", visit_number=number, **WHY)).json()
    way = await door.ask("look-in-ticket", supervisor=WHO, look_in_id=look["look_in_id"], watches="patient")
    ended = await door.ask("end-look-in", supervisor=WHO, look_in_id=look["look_in_id"])
    late = await door.ask("look-in-ticket", supervisor=WHO, look_in_id=look["look_in_id"], watches="doctor")

    ticket = await tickets.take(running.redis, way.json()["ticket"], "signalling")
    lines = await trail(running)
    assert ticket is not None
    assert (ticket.role, ticket.watches, ticket.kind) == ("supervisor", "patient", "platform")
    assert ticket.until is not None
    assert (ended.status_code, late.status_code, late.json()["code"]) == (200, 410, "look_in_over")
    assert [(line.action, line.outcome) for line in lines] == [
        ("video.look_in_opened", "ok"), ("video.look_in_ticket", "ok"), ("video.look_in_ended", "ok"),
        ("supervision.look-in-ticket", "refused"),
    ]  # fmt: skip
    assert lines[0].detail["authority"] == WHY["authority"]
    assert (lines[0].detail["reason"], lines[0].detail["supervisor"]) == (WHY["reason"], "监管员")
    assert await notices(running, visit) == [looking_in.NOTICE, looking_in.NOTICE_OVER]


async def test_a_lost_answer_may_be_asked_for_again_and_is_told_once(
    running: Context, door: Door, visit: Encounter, clock: SharedClock
) -> None:
    number = str(visit.appointment_id)
    first, again = [(await door.ask("open-look-in", visit_number=number, **WHY)).json() for _ in range(2)]
    moves_on(clock, minutes=31)
    later = await door.ask("open-look-in", visit_number=number, **WHY)

    assert first == again
    assert later.status_code == 409 or later.json()["look_in_id"] != first["look_in_id"]
    assert (await notices(running, visit))[:1] == [looking_in.NOTICE]


async def test_one_supervisors_permission_is_nothing_to_another(door: Door, visit: Encounter) -> None:
    look = (await door.ask("open-look-in", visit_number=str(visit.appointment_id), **WHY)).json()
    other = WHO | {"account": "someone-else"}

    answer = await door.ask(
        "look-in-ticket", supervisor=other, look_in_id=look["look_in_id"], watches="doctor"
    )

    assert answer.status_code == 404


async def test_a_conversation_is_read_on_demand_each_reading_written_down_and_shown_once(
    running: Context, door: Door, visit: Encounter
) -> None:
    number = str(visit.appointment_id)
    for _ in range(2):
        read = await door.ask("read-chat", visit_number=number, **WHY)

    said = [(line["sender"], line["text"]) for line in read.json()["lines"]]
    lines = await trail(running)
    assert said[0] == ("doctor", "您好")
    assert read.json()["more"] is False
    assert await notices(running, visit) == [inspecting.READ]
    assert [line.action for line in lines] == ["chat.read_by_supervisor"] * 2
    assert lines[0].detail["authority"] == WHY["authority"]


@pytest.mark.parametrize("operation", ["open-look-in", "read-chat"])
@pytest.mark.parametrize("missing", ["reason", "authority"])
async def test_without_reason_or_order_nothing_is_seen(
    running: Context, door: Door, visit: Encounter, operation: str, missing: str
) -> None:
    asked = {"visit_number": str(visit.appointment_id), **WHY}
    gone = {name: value for name, value in asked.items() if name != missing}

    assert (await door.ask(operation, **gone)).status_code == 422
    assert (await door.ask(operation, **asked | {missing: "  "})).status_code == 422
    assert (await door.ask(operation, **asked | {missing: "      "})).status_code == 422
    assert await notices(running, visit) == []


async def test_there_must_be_a_visit_and_a_video(running: Context, door: Door, visit: Encounter) -> None:
    unknown = await door.ask("open-look-in", visit_number=str(new_id()), **WHY)
    async with unit_of_work(running.db) as session:
        (await session.get_one(Encounter, visit.id)).recording_consent = ""
    unseen = await door.ask("open-look-in", visit_number=str(visit.appointment_id), **WHY)

    assert (unknown.status_code, unseen.status_code) == (404, 409)


@pytest.mark.parametrize(
    "identity", ["", "spiffe://internet-hospital/supervision", "spiffe://internet-hospital/adapter"]
)
async def test_whoever_is_no_gateway_is_refused_and_written_down(
    running: Context, visit: Encounter, identity: str
) -> None:
    async with await door_for(running, identity) as client:
        answer = await Door(client).ask("read-chat", visit_number=str(visit.appointment_id), **WHY)

    async with unit_of_work(running.db) as session:
        found = await session.scalars(select(AuditEvent).where(AuditEvent.outcome == "refused"))
    assert answer.status_code == 403
    assert [line.action for line in found] == ["supervision.read-chat"]
