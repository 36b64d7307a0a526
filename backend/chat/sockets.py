"""The chat WebSocket: catch up from a sequence, then live; sending is exactly once by `client_id`."""

import asyncio
from uuid import UUID

import msgspec
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.chat import service
from backend.chat.tickets import Ticket, take
from backend.chat.wire import FromClient, MessageView, Say, message_view
from backend.context import Context
from backend.encounter.model import Encounter
from foundation.actor import Actor
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, invalid
from foundation.web.problems import as_problem

REFUSED = 4401


def routes(context: Context) -> list[WebSocketRoute]:
    """The one socket of this feature."""

    async def chat(socket: WebSocket) -> None:
        if socket.headers.get("origin", context.settings.front_url) != context.settings.front_url:
            await socket.close(REFUSED, "origin")
            return
        ticket = await take(context.redis, socket.query_params.get("ticket", ""), "chat")
        if ticket is None or str(ticket.encounter_id) != socket.path_params["id"]:
            await socket.close(REFUSED, "ticket")
            return
        await socket.accept()
        await _run(context, socket, ticket, _sequence(socket.query_params.get("after", "")))

    return [WebSocketRoute("/api/v1/encounters/{id}/chat", chat)]


def _sequence(text: str) -> int:
    """What the client has; anything strange means that it has nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def _run(context: Context, socket: WebSocket, ticket: Ticket, after: int) -> None:
    tasks = [
        asyncio.create_task(_send(context, socket, ticket.encounter_id, after)),
        asyncio.create_task(_receive(context, socket, ticket)),
    ]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _send(context: Context, socket: WebSocket, encounter_id: UUID, after: int) -> None:
    async with context.live.watching([f"chat:{encounter_id}"]) as watch:
        while True:
            for view in await _after(context, encounter_id, after):
                await socket.send_bytes(msgspec.json.encode(view))
                after = view.sequence
            if not await watch.changed():
                await socket.send_bytes(b'{"type":"heartbeat"}')


async def _after(context: Context, encounter_id: UUID, after: int) -> list[MessageView]:
    async with unit_of_work(context.db) as session:
        return [message_view(row) for row in await service.after(session, encounter_id, after)]


async def _receive(context: Context, socket: WebSocket, ticket: Ticket) -> None:
    actor = Actor(
        "staff" if ticket.role == "doctor" else "account", ticket.participant_id, frozenset({ticket.role})
    )
    while True:
        try:
            message = await socket.receive()
        except WebSocketDisconnect:
            return
        if message["type"] != "websocket.receive":
            return
        raw = message.get("bytes") or (message.get("text") or "").encode()
        try:
            await _handle(context, ticket, actor, raw)
        except AppError as error:
            problem = msgspec.to_builtins(as_problem(error))
            await socket.send_bytes(msgspec.json.encode({"type": "problem", **problem}))


async def _handle(context: Context, ticket: Ticket, actor: Actor, raw: bytes) -> None:
    try:
        said = msgspec.json.decode(raw, type=FromClient)
    except msgspec.MsgspecError as error:
        raise invalid("message", "malformed", "消息格式不正确") from error
    if isinstance(said, Say):
        async with unit_of_work(context.db) as session:
            row = await session.get_one(Encounter, ticket.encounter_id)
            await service.say(
                session, actor, row, client_id=said.client_id, kind=said.kind, body=said.body,
                attachment_id=said.attachment_id,
            )  # fmt: skip
