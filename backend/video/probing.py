"""The WebSocket of the check before a call, `GET /probes/{encounter_id}?ticket=…`: how fast the way to this process is.

Server → `{"type":"ping"}`, pieces of random bytes, `{"type":"send"}`, at the end `{"type":"measured",…}` or `{"type":"error",…}`.
Browser → `pong` to each ping, `got` to each piece, a piece of its own to each send.
Everything is timed here, nothing of it is kept but three numbers. The bytes are random, or compression would flatter.
"""

import asyncio
import os
import statistics
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from redis.asyncio import Redis
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.chat.tickets import Ticket, take
from backend.video import probes, wire
from backend.video.pacing import PIECE, Pace
from backend.video.rules import Measured
from backend.video.signalling import ORIGIN, Refused, end
from foundation.logs import log

AT_ONCE = 8
"""More checks than this at a time would be heard in the calls of this process."""
PINGS, PING_SECONDS = 4, 1.0
FIRST_PONG_WITHIN = 3.0
SECONDS = 1.6
"""Of each direction; with all of it under five, even where nothing comes through."""
REST_WITHIN = 0.8
WITHIN = 10.0
PING, SEND = '{"type":"ping"}', '{"type":"send"}'
PONG, GOT, SENT = "pong", "got", "sent"

Give = Callable[[], Awaitable[None]]


def routes(redis: Redis, origins: frozenset[str], address: str) -> list[WebSocketRoute]:
    """The one socket; `origins` are the pages that may open it, `address` is our own as tickets have it."""
    places = asyncio.Semaphore(AT_ONCE)

    async def probe(socket: WebSocket) -> None:
        if socket.headers.get("origin", "").rstrip("/") not in origins:
            await socket.close(ORIGIN)  # before accept: the browser sees 403
            return
        await socket.accept()
        try:
            ticket = await _admitted(redis, socket, address)
            if places.locked():
                raise Refused("busy")
            async with places, asyncio.timeout(WITHIN):
                measured = await measure(socket)
            await probes.keep(redis, ticket.encounter_id, ticket.participant_id, measured)
            told = {"type": "measured", **msgspec.to_builtins(measured)}
            await socket.send_text(msgspec.json.encode(told).decode())
            await socket.close()
        except Refused as refusal:
            await end(socket, refusal.code)
        except TimeoutError:
            await end(socket, "too_slow")
        except WebSocketDisconnect:
            pass

    return [WebSocketRoute("/probes/{encounter_id:uuid}", probe)]


async def _admitted(redis: Redis, socket: WebSocket, address: str) -> Ticket:
    """The ticket is used up whatever comes of it."""
    try:
        ticket = await take(redis, socket.query_params.get("ticket", ""), wire.PROBE)
    except Exception as error:
        log.error("ticket_not_read", exc_info=error)
        raise Refused("unavailable") from error
    if ticket is None or ticket.encounter_id != socket.path_params["encounter_id"]:
        raise Refused("ticket_invalid")
    if ticket.node not in ("", address):
        raise Refused("moving")
    return ticket


async def measure(socket: WebSocket) -> Measured:
    """Round trip, then down, then up. `TimeoutError` where not even a ping comes back."""

    async def give() -> None:
        await socket.send_bytes(os.urandom(PIECE))

    async def ask() -> None:
        await socket.send_text(SEND)

    round_trip = await _round_trip(socket)
    down = await _paced(socket, give, GOT, round_trip)
    up = await _paced(socket, ask, SENT, round_trip)
    return Measured(up, down, int(round_trip * 1000))


async def _round_trip(socket: WebSocket) -> float:
    clock = asyncio.get_running_loop().time
    begun, found = clock(), list[float]()
    while len(found) < PINGS and (not found or clock() - begun < PING_SECONDS):
        sent = clock()
        await socket.send_text(PING)
        async with asyncio.timeout(FIRST_PONG_WITHIN):
            await _heard(socket, PONG)
        found.append(clock() - sent)
    return statistics.median(found)


async def _paced(socket: WebSocket, give: Give, reply: str, round_trip: float) -> int:
    """Bit/s of one direction; time that runs out is no error, it is the result."""
    clock = asyncio.get_running_loop().time
    pace = Pace(clock(), round_trip)
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            while not pace.done:
                for _ in range(pace.due(clock())):
                    await give()
                await _heard(socket, reply)
                pace.arrived(clock())
    found = pace.bitrate(clock())
    with suppress(TimeoutError):  # or what is still under way would slow the other direction down
        async with asyncio.timeout(REST_WITHIN):
            for _ in range(pace.under_way):
                await _heard(socket, reply)
    return found


async def _heard(socket: WebSocket, wanted: str) -> None:
    """Wait for this reply; late ones of the direction before are passed over."""
    while True:
        event = await socket.receive()
        if event["type"] != "websocket.receive":
            raise WebSocketDisconnect(event.get("code", 1006))
        piece = event.get("bytes")
        if piece is not None and len(piece) != PIECE:
            raise Refused("bad_message")
        reply = SENT if piece is not None else event.get("text")
        if reply not in (PONG, GOT, SENT):
            raise Refused("bad_message")
        if reply == wanted:
            return
