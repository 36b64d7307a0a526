"""One side of a conversation as a browser plays it: an outbox, a socket that may break, everything after `last`."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import websockets
from websockets.asyncio.client import ClientConnection

from backend.live import HEARTBEAT
from tests.builders.requests import Headers
from tests.unit.chat.conftest import Room

DEADLINE = HEARTBEAT + 10
"""A lost wake-up costs a heartbeat, never a message: no test may be less patient than that promise."""


class Browser:
    """Keeps what it has sent until it comes back; asks again for what it has not seen."""

    def __init__(self, room: Room, headers: Headers) -> None:
        self.room, self.headers = room, headers
        self.outbox: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        self.other: list[dict[str, Any]] = []
        self.socket: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def last(self) -> int:
        """Sequence up to which it has everything."""
        return int(self.seen[-1]["sequence"]) if self.seen else 0

    async def connect(self) -> None:
        """Ticket, socket, and what is not acknowledged once more."""
        answer = await self.room.api.post(
            f"{self.room.path}/tickets", json={"purpose": "chat"}, headers=self.headers
        )
        ticket = answer.json()
        address = f"{ticket['url']}?ticket={ticket['ticket']}&after={self.last}"
        self.socket = await websockets.connect(address, proxy=None)
        self._listening = asyncio.create_task(self._listen(self.socket))
        for one in list(self.outbox):
            await self.send(one)

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for raw in socket:
                self._take(json.loads(raw))
        except websockets.ConnectionClosed:
            return

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] != "message":
            self.other.append(message)
            return
        assert message["sequence"] == self.last + 1, f"{message['sequence']} after {self.last}"
        self.seen.append(message)
        self.outbox = [one for one in self.outbox if one["client_id"] != message["client_id"]]

    async def cut(self) -> None:
        """The network is gone: no goodbye, what was on its way is lost or not."""
        if self.socket is None:
            return
        self.socket.transport.abort()
        assert self._listening is not None
        await self._listening
        self.socket = None

    async def send(self, one: dict[str, Any]) -> None:
        """Over the socket, if there is one."""
        if self.socket is not None:
            try:
                await self.socket.send(json.dumps({"type": "say", **one}))
            except websockets.ConnectionClosed:
                self.socket = None

    def writes(self, text: str) -> dict[str, Any]:
        """Into the outbox."""
        one = {"client_id": str(uuid4()), "kind": "text", "body": text}
        self.outbox.append(one)
        return one

    async def says(self, text: str) -> None:
        """Write and send."""
        await self.send(self.writes(text))

    async def until(self, count: int) -> None:
        """Everything up to a sequence is here and nothing is unacknowledged."""
        async with asyncio.timeout(DEADLINE):
            while self.last < count or self.outbox:
                await asyncio.sleep(0.01)

    async def hears(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Wait for something that is no message."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for one in self.other:
                    if one["type"] == kind and all(one.get(name) == value for name, value in fields.items()):
                        return one
                await asyncio.sleep(0.01)

    @property
    def texts(self) -> list[str]:
        """What it shows."""
        return [one["body"] for one in self.seen]
