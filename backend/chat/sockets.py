"""The chat WebSocket: catch up from a sequence, then live; sending is exactly once by `client_id`.

What it sends is always read from the database: a lost wake-up costs a heartbeat, never a message.
"""

import asyncio
from collections.abc import Mapping

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.chat import admission, marks, service, views
from backend.chat.tickets import Ticket, take
from backend.chat.wire import FromClient, MarkView, MessageView, Read, Say, Typing, TypingView
from backend.context import Context
from backend.encounter.model import Encounter
from foundation.actor import Actor
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Forbidden, invalid
from foundation.web.problems import as_problem

REFUSED, SHIFT_OVER = 4401, 4403
TYPING_EVERY = 2.0
"""Seconds between two whispers of one socket; more often is dropped."""
BIGGEST = 20_000
_IN = msgspec.json.Decoder(FromClient)
_OUT = msgspec.json.Encoder()


def routes(context: Context) -> list[WebSocketRoute]:
    """The one socket of this feature."""

    async def chat(socket: WebSocket) -> None:
        if socket.headers.get("origin", context.settings.front_url) != context.settings.front_url:
            await socket.close(REFUSED, "origin")
            return
        ticket = await take(context.redis, socket.query_params.get("ticket", ""), "chat")
        if ticket is None or not ticket.kind or str(ticket.encounter_id) != socket.path_params["id"]:
            await socket.close(REFUSED, "ticket")
            return
        await socket.accept()
        await Conversation(context, socket, ticket).run(_sequence(socket.query_params.get("after", "")))

    return [WebSocketRoute("/api/v1/encounters/{id}/chat", chat)]


def _sequence(text: str) -> int:
    """What the client has; anything strange means that it has nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class Conversation:
    """One open socket of one side."""

    def __init__(self, context: Context, socket: WebSocket, ticket: Ticket) -> None:
        self.context, self.socket, self.visit, self.side = context, socket, ticket.encounter_id, ticket.role
        self.actor = Actor(ticket.kind, ticket.participant_id, frozenset({ticket.role}), ticket.name)
        self.stream = f"chat:{ticket.encounter_id}"
        self._whispered_at = -TYPING_EVERY

    async def run(self, after: int) -> None:
        """Until one of the two directions ends."""
        tasks = [asyncio.create_task(self._send(after)), asyncio.create_task(self._receive())]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # to the client

    async def _send(self, after: int) -> None:
        known: Mapping[str, int] = {}
        async with self.context.live.watching([self.stream]) as watch:
            changed = True
            while True:
                if changed:
                    after = await self._catch_up(after)
                    known = await self._tell_marks(known)
                heard = await watch.heard()
                changed = heard.changed or not heard.whispers
                for words in heard.whispers:
                    if words != self.side:
                        await self._say(TypingView(words))
                if not heard.changed and not heard.whispers and not await self._rest():
                    return

    async def _catch_up(self, after: int) -> int:
        """Everything after a sequence, page by page."""
        while True:
            async with unit_of_work(self.context.db) as session:
                page = await views.views(session, self.visit, after)
            for view in page:
                await self._say(view)
                after = view.sequence
            if len(page) < service.PAGE:
                return after

    async def _tell_marks(self, known: Mapping[str, int]) -> Mapping[str, int]:
        async with unit_of_work(self.context.db) as session:
            found = await marks.marks(session, self.visit)
        for side, sequence in found.items():
            if known.get(side) != sequence:
                await self._say(MarkView(side, sequence))
        return found

    async def _rest(self) -> bool:
        """A sign of life; False when a doctor's shift is over and she may not listen any more."""
        async with unit_of_work(self.context.db) as session:
            if not await admission.still_admitted(session, self.actor):
                await self.socket.close(SHIFT_OVER, "no_shift")
                return False
        await self.socket.send_bytes(b'{"type":"heartbeat"}')
        return True

    async def _say(self, view: MessageView | MarkView | TypingView) -> None:
        await self.socket.send_bytes(_OUT.encode(view))

    # from the client

    async def _receive(self) -> None:
        while True:
            try:
                message = await self.socket.receive()
            except WebSocketDisconnect:
                return
            if message["type"] != "websocket.receive":
                return
            raw = message.get("bytes") or (message.get("text") or "").encode()
            try:
                await self._handle(_parsed(raw))
            except AppError as error:
                await self._refuse(raw, error)
                if isinstance(error, Forbidden):
                    await self.socket.close(SHIFT_OVER, error.code)
                    return

    async def _handle(self, said: Say | Typing | Read) -> None:
        if isinstance(said, Typing):
            await self._whisper()
            return
        async with unit_of_work(self.context.db) as session:
            row = await self._visit(session)
            if isinstance(said, Read):
                await marks.read(session, row, self.side, said.sequence)
                return
            await admission.at_work(session, self.actor)
            await service.say(
                session, self.actor, row, client_id=said.client_id, kind=said.kind, body=said.body,
                attachment_id=said.attachment_id,
            )  # fmt: skip

    async def _visit(self, session: AsyncSession) -> Encounter:
        return await admission.admitted(session, self.actor, self.visit)

    async def _whisper(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._whispered_at >= TYPING_EVERY:
            self._whispered_at = now
            await self.context.live.whisper(self.stream, self.side)

    async def _refuse(self, raw: bytes, error: AppError) -> None:
        """Why, and which message: by its `client_id` where it had one."""
        problem = msgspec.to_builtins(as_problem(error))
        await self.socket.send_bytes(
            _OUT.encode({"type": "problem", "client_id": _client_id(raw), **problem})
        )


def _parsed(raw: bytes) -> Say | Typing | Read:
    if len(raw) > BIGGEST:
        raise invalid("message", "too_long", "消息过长")
    try:
        said: Say | Typing | Read = _IN.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise invalid("message", "malformed", "消息格式不正确") from error
    return said


def _client_id(raw: bytes) -> str:
    try:
        found = msgspec.json.decode(raw[:BIGGEST])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    value = found.get("client_id", "") if isinstance(found, dict) else ""
    return value if isinstance(value, str) else ""
