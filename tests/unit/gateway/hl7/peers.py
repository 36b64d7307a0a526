"""The other end of a line, as a test wishes it: takes frames, answers what it is told, remembers what it was asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.line import Address, Line

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[bool]]
"""Writes to the line; whether it stays open."""


@dataclass
class Peer:
    """`asked` are the messages without frames, `lines` how many connections were made."""

    answer: Answer
    asked: list[bytes] = field(default_factory=list)
    lines: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    talks: list["asyncio.Task[None] | None"] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines += 1
        self.writers.append(writer)
        self.talks.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                raw = (await reader.readuntil(b"\x1c\r"))[1:-2]
                self.asked.append(raw)
                if not await self.answer(raw, writer):
                    break
        writer.close()


@contextlib.asynccontextmanager
async def peer(answer: Answer, charset: Charset = Charset.UTF_8) -> AsyncIterator[tuple[Peer, Line]]:
    """A system that answers so, and a line to it."""
    made = Peer(answer)
    server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    line = Line(Address("lis", "127.0.0.1", server.sockets[0].getsockname()[1], charset, "LIS"))
    try:
        yield made, line
    finally:
        await line.close()
        server.close()
        for writer in made.writers:
            writer.close()
        await asyncio.gather(*(one for one in made.talks if one is not None))


def control_id(raw: bytes) -> bytes:
    """MSH-10."""
    return raw.split(b"|")[9]


def says(answer: bytes, *, stays: bool = True) -> Answer:
    """Always this answer, `$id` in it replaced by the control id that was asked with."""

    async def respond(raw: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"\x0b" + answer.replace(b"$id", control_id(raw)) + b"\x1c\r")
        await writer.drain()
        return stays

    return respond
