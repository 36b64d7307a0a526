"""The socket as a browser meets it: a real server, a real Valkey, peers without a browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from sqlalchemy import select

from backend.media import create_app
from backend.video.model import Recording
from backend.video.settings import MediaSettings
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import Database
from foundation.server import Listener, listener
from foundation.settings import load
from standalone.stores import StoreUrls
from tests.unit.video.peers import Peer, until
from tests.unit.video.process import environment, free_port, ticket

pytestmark = pytest.mark.anyio
FRONT = "http://front.example"


class House:
    """A running media process in this loop, and a client for its socket."""

    def __init__(self, urls: StoreUrls, port: int, session: aiohttp.ClientSession) -> None:
        self.urls = urls
        self.base = f"http://127.0.0.1:{port}"
        self.session = session
        self.encounter = uuid4()
        self.people: dict[str, UUID] = {}
        self.peers: list[Peer] = []

    def ticket(self, role: str, **more: Any) -> str:
        return ticket(self.urls, self.encounter, self.people.setdefault(role, uuid4()), role, **more)

    async def open(
        self, text: str, *, origin: str | None = FRONT, room: UUID | None = None
    ) -> aiohttp.ClientWebSocketResponse:
        headers = {"Origin": origin} if origin else {}
        return await self.session.ws_connect(
            f"{self.base}/rooms/{room or self.encounter}?ticket={text}", headers=headers
        )

    async def enter(self, role: str, **more: Any) -> tuple[Peer, aiohttp.ClientWebSocketResponse]:
        """In with a peer; what the socket says after the answer is still to be read."""
        socket = await self.open(self.ticket(role, **more))
        peer = Peer(listens_only=role == "supervisor")
        self.peers.append(peer)
        await socket.send_json({"type": "offer", "sdp": await peer.offer()})
        answer = await heard(socket)
        assert answer["type"] == "answer", answer
        await peer.accept(answer["sdp"])
        return peer, socket


async def heard(socket: aiohttp.ClientWebSocketResponse, *, kind: str = "") -> dict[str, Any]:
    """The next message, of a kind; what is said of the recording only who asks for it hears."""
    while True:
        message = await socket.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        told: dict[str, Any] = json.loads(message.data)
        if told["type"] == kind or (not kind and told["type"] != "recording"):
            return told


async def closed(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Nothing more is said, except of the recording."""
    while (message := await socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
        assert json.loads(message.data)["type"] == "recording", message.data
    assert message.type is aiohttp.WSMsgType.CLOSE, message


async def refused(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The error code, after which the socket is closed."""
    told = await heard(socket)
    assert told["type"] == "error", told
    assert told["detail"]
    assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    return str(told["code"])


@pytest.fixture
async def house(stores: StoreUrls, db: Database, tmp_path: Path, anyio_backend: str) -> AsyncIterator[House]:
    port = free_port()
    settings = load(
        MediaSettings, {**environment(stores, tmp_path / "objects", port, FRONT), "MEDIA_ROOMS": "2"}
    )
    server: Listener = listener(create_app(settings), "127.0.0.1", port)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started, 10, "the server")
    async with aiohttp.ClientSession() as session:
        made = House(stores, port, session)
        yield made
        for peer in made.peers:
            await peer.close()
    server.should_exit = True
    await asyncio.wait_for(running, 20)


async def actions(db: Database) -> list[str]:
    async with db.sessions() as session:
        lines = list(await session.scalars(select(AuditEvent).order_by(AuditEvent.ordinal)))
    return [f"{line.action} {line.outcome} {line.actor_kind}" for line in lines]


async def test_two_people_meet_and_say_bye(house: House, db: Database) -> None:
    patient, patients_socket = await house.enter("patient")
    doctor, doctors_socket = await house.enter("doctor")
    assert await heard(patients_socket) == {"type": "peer", "state": "joined", "role": "doctor"}
    assert await heard(doctors_socket) == {"type": "peer", "state": "joined", "role": "patient"}
    await until(lambda: patient.received["video"] > 10 and doctor.received["video"] > 10, 15, "media")

    await doctors_socket.send_json({"type": "bye"})
    await closed(doctors_socket)
    assert await heard(patients_socket) == {"type": "peer", "state": "left", "role": "doctor"}
    await patients_socket.send_json({"type": "bye"})
    await closed(patients_socket)

    async def both_closed() -> list[Recording]:
        async with db.sessions() as session:
            return list(await session.scalars(select(Recording).where(Recording.ended_at.is_not(None))))

    while len(recordings := await both_closed()) < 2:
        await asyncio.sleep(0.05)
    assert {(row.role, row.segment, row.close_reason, row.complete) for row in recordings} == {
        ("patient", 1, "bye", True), ("doctor", 1, "bye", True),
    }  # fmt: skip
    assert {row.participant_id for row in recordings} == set(house.people.values())
    assert all(row.bytes > 10_000 and row.duration_ms > 300 for row in recordings)
    written = await actions(db)
    assert written[:2] == ["video.joined ok account", "video.joined ok staff"]
    assert sorted(written[2:]) == [
        "video.left ok account", "video.left ok staff", "video.segment_closed ok system", "video.segment_closed ok system",
    ]  # fmt: skip


async def test_a_ticket_opens_once(house: House) -> None:
    text = house.ticket("patient")
    first = await house.open(text)

    assert await refused(await house.open(text)) == "ticket_invalid"
    await first.close()


@pytest.mark.parametrize("text", ["", "made-up", "x" * 5000])
async def test_without_a_ticket_nobody_enters(house: House, text: str) -> None:
    assert await refused(await house.open(text)) == "ticket_invalid"


async def test_a_ticket_for_something_else_does_not_open_the_room(house: House) -> None:
    assert await refused(await house.open(house.ticket("patient", purpose="chat"))) == "ticket_invalid"
    assert await refused(await house.open(house.ticket("patient"), room=uuid4())) == "ticket_invalid"
    assert await refused(await house.open(house.ticket("pharmacist"))) == "ticket_invalid"
    assert await refused(await house.open(house.ticket("doctor", watches="patient"))) == "ticket_invalid"
    assert await refused(await house.open(house.ticket("supervisor"))) == "ticket_invalid"


async def test_a_ticket_for_another_node_sends_the_browser_there(house: House) -> None:
    text = house.ticket("patient", node="http://another.example")

    assert await refused(await house.open(text)) == "moving"
    await house.enter("patient", node=house.base)


@pytest.mark.parametrize("origin", ["http://evil.example", FRONT + ".evil.example", "null", None])
async def test_only_pages_of_the_front_may_signal(house: House, origin: str | None) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await house.open(house.ticket("patient"), origin=origin)
    assert error.value.status == 403


@pytest.mark.parametrize(
    "message",
    ["", "hello", "[]", "{}", '{"type":"offer"}', '{"type":"offer","sdp":7}', '{"type":"offer","sdp":"v=0","more":1}', '{"type":"dance"}', '{"type":"bye"}', '{"type":"offer","sdp":"' + "x" * 80_000 + '"}'],
)  # fmt: skip
async def test_a_first_message_that_is_no_offer_ends_it(house: House, message: str) -> None:
    socket = await house.open(house.ticket("patient"))
    await socket.send_str(message)

    assert await refused(socket) == "bad_message"


async def test_a_bad_offer_is_refused_and_written_down(house: House, db: Database) -> None:
    socket = await house.open(house.ticket("doctor"))
    await socket.send_json({"type": "offer", "sdp": "v=0\r\nnot much"})

    assert await refused(socket) == "bad_offer"
    assert await actions(db) == ["video.join refused staff"]


async def test_there_is_no_second_offer(house: House) -> None:
    _, socket = await house.enter("patient")
    await socket.send_json({"type": "offer", "sdp": "v=0"})

    assert await refused(socket) == "already_joined"


async def test_the_second_connection_of_a_person_replaces_the_first(house: House) -> None:
    doctor, doctors_socket = await house.enter("doctor")
    _, first = await house.enter("patient")
    assert (await heard(first), await heard(doctors_socket)) == (
        {"type": "peer", "state": "joined", "role": "doctor"}, {"type": "peer", "state": "joined", "role": "patient"},
    )  # fmt: skip

    again, second = await house.enter("patient")

    assert await refused(first) == "replaced"
    assert await heard(second) == {"type": "peer", "state": "joined", "role": "doctor"}
    assert await heard(doctors_socket) == {"type": "peer", "state": "joined", "role": "patient"}
    await until(lambda: again.received["video"] > 5 and doctor.received["video"] > 5, 15, "media")


async def test_a_broken_socket_does_not_break_the_media(house: House) -> None:
    doctor, doctors_socket = await house.enter("doctor")
    patient, socket = await house.enter("patient")
    await heard(doctors_socket)
    await until(lambda: doctor.received["video"] > 5, 15, "media")

    await socket.close(code=1001)
    before = doctor.received["video"]
    await until(lambda: doctor.received["video"] > before + 30, 5, "media goes on")

    again, _ = await house.enter("patient")
    assert await heard(doctors_socket) == {"type": "peer", "state": "joined", "role": "patient"}
    await until(lambda: again.received["video"] > 5, 15, "media on the new connection")
    assert patient.received["video"] > 0


async def test_a_full_node_says_so(house: House) -> None:
    for _ in range(2):
        house.encounter, house.people = uuid4(), {}
        await house.enter("patient")
    house.encounter, house.people = uuid4(), {}
    socket = await house.open(house.ticket("patient"))
    await socket.send_json({"type": "offer", "sdp": "v=0"})

    assert await refused(socket) == "busy"


async def test_both_sides_are_told_while_a_supervisor_looks_in(house: House, db: Database) -> None:
    _, doctors_socket = await house.enter("doctor")
    _, first = await house.enter("supervisor", watches="doctor")
    _, second = await house.enter("supervisor", watches="patient")
    assert await heard(doctors_socket) == {"type": "watched", "watching": True}
    _, patients_socket = await house.enter("patient")
    assert await heard(doctors_socket) == {"type": "peer", "state": "joined", "role": "patient"}
    told = [await heard(patients_socket), await heard(patients_socket)]
    assert told == [
        {"type": "peer", "state": "joined", "role": "doctor"}, {"type": "watched", "watching": True},
    ]  # fmt: skip

    for socket in (first, second):
        await socket.send_json({"type": "bye"})

    for socket in (doctors_socket, patients_socket):
        assert await heard(socket) == {"type": "watched", "watching": False}
    async with db.sessions() as session:
        query = select(AuditEvent).where(AuditEvent.action == "video.joined").order_by(AuditEvent.ordinal)
        lines = list(await session.scalars(query))
    seen = [line.detail.get("watches") for line in lines if line.detail["role"] == "supervisor"]
    assert seen == ["doctor", "patient"]


async def test_a_look_in_that_is_not_to_be_shown_is_not(house: House) -> None:
    _, doctors_socket = await house.enter("doctor")
    supervisor, supervisors_socket = await house.enter("supervisor", watches="doctor", shown=False)
    assert await heard(supervisors_socket) == {"type": "peer", "state": "joined", "role": "doctor"}
    await until(lambda: supervisor.received["video"] > 5, 15, "a picture")

    await supervisors_socket.send_json({"type": "bye"})
    await house.enter("patient")
    assert await heard(doctors_socket) == {"type": "peer", "state": "joined", "role": "patient"}


async def test_the_process_says_that_it_is_ready(house: House) -> None:
    async with house.session.get(f"{house.base}/readyz") as reply:
        assert (reply.status, await reply.json()) == (200, {"status": "ok", "failed": []})
    async with house.session.get(f"{house.base}/metrics") as reply:
        assert "media_rooms" in await reply.text()


async def test_what_somebody_does_in_a_room_is_written_under_her_own_register(
    house: House, db: Database
) -> None:
    """A supervisor of the city is no member of the staff."""
    _, socket = await house.enter("supervisor", watches="doctor", kind="platform")
    await socket.send_json({"type": "bye"})
    await closed(socket)

    async with asyncio.timeout(5):
        while len(await actions(db)) < 2:
            await asyncio.sleep(0.05)
    assert await actions(db) == ["video.joined ok platform", "video.left ok platform"]


async def test_the_parties_hear_whether_they_are_recorded(house: House) -> None:
    _, socket = await house.enter("patient")

    assert await heard(socket, kind="recording") == {"type": "recording", "state": "on"}
