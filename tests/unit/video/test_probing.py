"""The check before a call as a browser meets it: a real media process, a real Valkey."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from redis.asyncio import Redis

from backend.media import create_app
from backend.video import probes
from backend.video.rules import Measured
from backend.video.settings import MediaSettings
from foundation.db.unit_of_work import Database
from foundation.server import Listener, listener
from foundation.settings import load
from standalone.stores import StoreUrls
from tests.unit.video.peers import until
from tests.unit.video.process import environment, free_port, ticket

pytestmark = pytest.mark.anyio
FRONT = "http://front.example"


class House:
    """A running media process in this loop, and one person with one visit."""

    def __init__(self, urls: StoreUrls, port: int, session: aiohttp.ClientSession, redis: Redis) -> None:
        self.urls, self.base, self.session, self.redis = urls, f"http://127.0.0.1:{port}", session, redis
        self.encounter, self.person = uuid4(), uuid4()

    def ticket(self, purpose: str = "probe", **more: Any) -> str:
        return ticket(self.urls, self.encounter, self.person, "patient", purpose=purpose, **more)

    async def open(
        self, text: str, *, origin: str = FRONT, visit: UUID | None = None, base: str = ""
    ) -> aiohttp.ClientWebSocketResponse:
        address = f"{base or self.base}/probes/{visit or self.encounter}?ticket={text}"
        return await self.session.ws_connect(address, headers={"Origin": origin})

    async def kept(self) -> Measured | None:
        return await probes.last(self.redis, self.encounter, self.person)


@pytest.fixture
async def house(stores: StoreUrls, db: Database, tmp_path: Path, anyio_backend: str) -> AsyncIterator[House]:
    port = free_port()
    settings = load(MediaSettings, environment(stores, tmp_path / "objects", port, FRONT))
    server: Listener = listener(create_app(settings), "127.0.0.1", port)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started, 10, "the server")
    redis: Redis = Redis.from_url(stores.redis)
    async with aiohttp.ClientSession() as session:
        yield House(stores, port, session, redis)
    await redis.aclose()
    server.should_exit = True
    await asyncio.wait_for(running, 20)


async def browse(socket: aiohttp.ClientWebSocketResponse, wait: float = 0) -> dict[str, Any]:
    """Answer as a browser does, each send only after `wait` seconds; what it was told at the end."""
    while True:
        message = await socket.receive(timeout=10)
        if message.type is aiohttp.WSMsgType.BINARY:
            await socket.send_str("got")
            continue
        assert message.type is aiohttp.WSMsgType.TEXT, message
        told: dict[str, Any] = json.loads(message.data)
        if told["type"] == "ping":
            await socket.send_str("pong")
        elif told["type"] == "send":
            await asyncio.sleep(wait)
            await socket.send_bytes(os.urandom(4096))
        else:
            return told


@asynccontextmanager
async def a_line(target: str, up: int, down: int) -> AsyncIterator[str]:
    """An address that leads to `target` over a wire of so many bit/s each way."""
    host, _, port = target.removeprefix("http://").partition(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: int) -> None:
        while data := await reader.read(512):
            await asyncio.sleep(len(data) * 8 / rate)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def carry_both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(
            carry(reader, far_writer, up), carry(far_reader, writer, down), return_exceptions=True
        )

    server = await asyncio.start_server(carry_both, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize(("up", "down"), [(150_000, 600_000), (600_000, 150_000), (64_000, 64_000)])
async def test_a_line_is_found_as_slow_as_it_is_within_five_seconds(house: House, up: int, down: int) -> None:
    async with a_line(house.base, up, down) as base:
        begun = asyncio.get_running_loop().time()
        told = await browse(await house.open(house.ticket(), base=base))
        seconds = asyncio.get_running_loop().time() - begun

    assert 0.5 * up < told["up"] < 1.3 * up
    assert 0.5 * down < told["down"] < 1.3 * down
    assert seconds < 6


async def test_a_good_network_is_measured_both_ways_and_written_down(house: House) -> None:
    told = await browse(await house.open(house.ticket()))

    assert told["type"] == "measured"
    assert told["up"] > 1_000_000
    assert told["down"] > 1_000_000
    assert await house.kept() == Measured(told["up"], told["down"], told["round_trip_ms"])


async def test_a_slow_way_up_is_found_while_the_way_down_is_fine(house: House) -> None:
    told = await browse(await house.open(house.ticket()), wait=0.3)

    assert told["up"] < 200_000
    assert told["down"] > 1_000_000


async def test_the_last_check_counts(house: House) -> None:
    await browse(await house.open(house.ticket()), wait=0.3)
    told = await browse(await house.open(house.ticket()))

    kept = await house.kept()
    assert kept is not None
    assert kept.up == told["up"] > 1_000_000


@pytest.mark.parametrize("case", ["none", "used", "for a room", "for another visit"])
async def test_a_ticket_for_this_check_is_needed(house: House, case: str) -> None:
    text = "" if case == "none" else house.ticket("signalling" if case == "for a room" else "probe")
    if case == "used":
        await (await house.open(text)).close()
    told = await browse(await house.open(text, visit=uuid4() if case == "for another visit" else None))

    assert (told["type"], told["code"]) == ("error", "ticket_invalid")
    assert await house.kept() is None


async def test_a_page_of_somebody_else_measures_nothing(house: House) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await house.open(house.ticket(), origin="http://evil.example")
    assert error.value.status == 403


@pytest.mark.parametrize("reply", ["hello", b"short", b"x" * 5000])
async def test_what_is_no_answer_ends_it(house: House, reply: str | bytes) -> None:
    socket = await house.open(house.ticket())
    await socket.receive(timeout=5)
    await (socket.send_str(reply) if isinstance(reply, str) else socket.send_bytes(reply))

    assert (await browse(socket))["code"] == "bad_message"
    assert await house.kept() is None


async def test_so_many_at_a_time_and_no_more(house: House) -> None:
    waiting = [await house.open(house.ticket()) for _ in range(8)]
    for socket in waiting:
        await socket.receive(timeout=5)

    assert (await browse(await house.open(house.ticket())))["code"] == "busy"
    for socket in waiting:
        await socket.close()
