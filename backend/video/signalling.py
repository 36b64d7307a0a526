"""The signalling WebSocket `GET /rooms/{encounter_id}?ticket=…`.

Browser → `{"type":"offer","sdp"}` once (a patient without camera and microphone adds `"listens":true`), `{"type":"answer","sdp"}` to each offer of the server, `{"type":"bye"}`.
Server → `{"type":"answer","sdp"}` (or `{"type":"wait"}`), `{"type":"offer","sdp"}` from engines that keep both ways apart,
`{"type":"peer","state":"joined"|"listens"|"left"|"media_lost"|"media_back","role"}`, `{"type":"watched","watching"}`,
`{"type":"recording","state":"on"|"failed"|"off"}`, `{"type":"time","minutes"}` when the visit's time ends soon, `{"type":"error","code","detail"}` and then the end.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import msgspec
from redis.asyncio import Redis
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from backend.chat.tickets import Ticket, take
from backend.video import wire
from backend.video.engine import JoinRefused, Role
from backend.video.rooms import Rooms, Seat
from foundation.actor import Actor
from foundation.db.audit import audit_refusal
from foundation.db.unit_of_work import Database
from foundation.errors import Conflict
from foundation.logs import log

MAX_MESSAGE = 70_000
OFFER_WITHIN = 10.0
REFUSED, ENDED, ORIGIN, RESTART = 4401, 4410, 4403, 1012
PARTIES = frozenset({Role.PATIENT, Role.DOCTOR})
_AGAIN = {"busy", "moving", "unavailable"}


@dataclass(frozen=True)
class Signalling:
    """What the socket needs; `rooms` exists once the event loop runs."""

    redis: "Redis"
    db: Database
    rooms: Rooms
    origins: frozenset[str]
    """Pages that may signal: the front's, and the desk's where a supervisor looks in."""
    address: str
    """Our own public address, which tickets name."""


class Refused(Exception):
    """The conversation ends with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def routes(signalling: Signalling) -> list[WebSocketRoute]:
    """The one socket of this feature."""

    async def room(socket: WebSocket) -> None:
        if socket.headers.get("origin", "").rstrip("/") not in signalling.origins:
            await socket.close(ORIGIN)  # before accept: the browser sees 403
            return
        await socket.accept()
        try:
            await _converse(signalling, socket)
        except Refused as refusal:
            await end(socket, refusal.code)
        except WebSocketDisconnect:
            pass

    return [WebSocketRoute("/rooms/{encounter_id:uuid}", room)]


async def _converse(signalling: Signalling, socket: WebSocket) -> None:
    room_id = str(socket.path_params["encounter_id"])
    seat = await _admitted(signalling, socket, room_id)
    offer = await _first(socket)
    seat.listens = offer.listens and seat.role is Role.PATIENT
    try:
        reply = await signalling.rooms.enter(room_id, seat, offer.sdp)
    except JoinRefused as refusal:
        log.info("join_refused", room=room_id, role=seat.role, code=refusal.code, problem=str(refusal))
        await _note_refusal(signalling, seat, room_id, refusal.code)
        raise Refused(refusal.code) from refusal
    said_bye = False
    try:
        await socket.send_text(msgspec.json.encode(reply).decode())
        said_bye = await _talk(signalling, socket, room_id, seat)
    finally:
        if said_bye:
            await asyncio.shield(signalling.rooms.leave(room_id, seat))
        else:
            signalling.rooms.lost(room_id, seat)
    if said_bye:
        await socket.close()


async def _admitted(signalling: Signalling, socket: WebSocket, room_id: str) -> Seat:
    """The ticket is used up whatever comes of it."""
    try:
        ticket = await take(signalling.redis, socket.query_params.get("ticket", ""), wire.PURPOSE)
    except Exception as error:
        log.error("ticket_not_read", exc_info=error)
        raise Refused("unavailable") from error
    if (
        ticket is None
        or str(ticket.encounter_id) != room_id
        or ticket.role not in set(Role)
        or not ticket.kind
    ):
        raise Refused("ticket_invalid")
    if ticket.node not in ("", signalling.address):
        raise Refused("moving")
    role = Role(ticket.role)
    if (role is Role.SUPERVISOR) != (ticket.watches in PARTIES):
        raise Refused("ticket_invalid")
    watches = Role(ticket.watches) if role is Role.SUPERVISOR else None
    seat = Seat(str(ticket.participant_id), role, _actor(ticket), watches, ticket.shown)
    if ticket.until is not None:
        left = (ticket.until - signalling.db.clock.now()).total_seconds()
        seat.until = asyncio.get_running_loop().time() + left
    return seat


def _actor(ticket: Ticket) -> Actor:
    return Actor(ticket.kind, ticket.participant_id, frozenset({ticket.role}), ticket.name)


async def _first(socket: WebSocket) -> wire.Offer:
    try:
        async with asyncio.timeout(OFFER_WITHIN):
            message = await _receive(socket)
    except TimeoutError:
        raise Refused("too_slow") from None
    if not isinstance(message, wire.Offer):
        raise Refused("bad_message")
    return message


async def _receive(socket: WebSocket) -> wire.Offer | wire.Answer | wire.Bye:
    event = await socket.receive()
    if event["type"] != "websocket.receive":
        raise WebSocketDisconnect(event.get("code", 1006))
    raw = event.get("bytes") or (event.get("text") or "").encode()
    if len(raw) > MAX_MESSAGE:
        raise Refused("bad_message")
    try:
        message: wire.Offer | wire.Answer | wire.Bye = msgspec.json.decode(raw, type=wire.FromBrowser)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused("bad_message") from None
    return message


async def _talk(signalling: Signalling, socket: WebSocket, room_id: str, seat: Seat) -> bool:
    """Until one side ends it; True when the browser said bye."""
    speaking = asyncio.create_task(_speak(socket, seat))
    listening = asyncio.create_task(_listen(signalling, socket, room_id, seat))
    try:
        await asyncio.wait([speaking, listening], return_when=asyncio.FIRST_COMPLETED)
        return listening.result() if listening.done() else False
    except WebSocketDisconnect:
        return False
    finally:
        for task in (speaking, listening):
            task.cancel()
        await asyncio.gather(speaking, listening, return_exceptions=True)


async def _listen(signalling: Signalling, socket: WebSocket, room_id: str, seat: Seat) -> bool:
    while True:
        message = await _receive(socket)
        if isinstance(message, wire.Bye):
            return True
        if isinstance(message, wire.Offer):
            raise Refused("already_joined")  # what was answered is never negotiated again
        try:
            await signalling.rooms.answer(room_id, seat, message.sdp)
        except JoinRefused as refusal:
            raise Refused(refusal.code) from refusal


async def _speak(socket: WebSocket, seat: Seat) -> None:
    while (message := await seat.outbox.get()) is not None:
        await socket.send_text(msgspec.json.encode(message).decode())
    await socket.close(ENDED)


async def end(socket: WebSocket, code: str) -> None:
    """Say why it does not go on, and close; a browser that is gone is not told."""
    if socket.client_state is not WebSocketState.CONNECTED:
        return
    message: dict[str, Any] = wire.error(code)
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(msgspec.json.encode(message).decode())
        await socket.close(RESTART if code in _AGAIN else REFUSED)


async def _note_refusal(signalling: Signalling, seat: Seat, room_id: str, code: str) -> None:
    try:
        refusal = Conflict(wire.DETAILS[code], code=code)
        await audit_refusal(signalling.db, seat.actor, "video.join", f"encounter:{room_id}", refusal)
    except Exception as error:
        log.error("refusal_not_audited", exc_info=error)
