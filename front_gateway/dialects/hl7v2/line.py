"""One system at the other end of a line: connections, deadline, bounded concurrency, breaker. Repeats nothing but a question.

A kept connection may be gone when it is used again, or have a late answer on it: a question then goes once more over a new one,
an order never; so orders take a new connection each. A connection is kept only after one answer that fitted, and nothing behind it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

from foundation.errors import Busy
from foundation.logs import log
from front_gateway.breaker import Breaker
from front_gateway.deadline import Deadline
from front_gateway.dialects.hl7v2.answers import OtherMessage, fits
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.frames import BadFrame, Frames, framed
from front_gateway.dialects.hl7v2.message import BadMessage, Message, parsed
from front_gateway.identity import identity_of
from front_gateway.refusals import Target, TooSlow, Unreachable, Unusable

KEPT_SECONDS = 20.0
CONNECT_SECONDS = 2.0
MOST_BYTES = 4_000_000
ACCEPTS = 2
"""Commit acknowledgements (CA) that may come before the answer itself."""


@dataclass(frozen=True)
class Address:
    """Where a system listens; `name` is ours for it (lis, ris), `application` what it calls itself (MSH-5).

    `identity`, when given, is the one URI name that its certificate must carry, beside the host's name.
    """

    name: str
    host: str
    port: int
    charset: Charset = Charset.UTF_8
    application: str = ""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    identity: str = ""


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: float
    era: int = 0
    frames: Frames = field(default_factory=lambda: Frames(MOST_BYTES))
    waiting: list[bytes] = field(default_factory=list)

    def usable(self) -> bool:
        return (
            not (self.waiting or self.frames.begun or self.reader.at_eof())
            and not self.writer.is_closing()
            and monotonic() - self.used < KEPT_SECONDS
        )

    def close(self) -> None:
        self.writer.close()


class _Gone(Exception):
    """A kept connection was closed before it gave any answer."""


class Line:
    """Sends messages and gives the answers to them."""

    def __init__(
        self, address: Address, *, at_once: int = 8, queue: int = 64, breaker: Breaker | None = None
    ) -> None:
        self.address = address
        self.breaker = breaker or Breaker()
        self._slots = asyncio.Semaphore(at_once)
        self._queue = queue
        self._waiting = 0
        self._kept: list[_Connection] = []
        self._era = 0

    async def ask(self, message: bytes, control_id: str, deadline: Deadline, *, question: bool) -> Message:
        """The answer to `message`, whose MSA-2 is `control_id`.

        `Unreachable` and `Busy` when the system saw nothing of it, `TooSlow` and `Unusable` when it may have.
        """
        if not self.breaker.admit():
            raise Unreachable(
                Target.HIS, f"{self._name}: breaker open", retry_after=self.breaker.retry_after()
            )
        reported = False
        try:
            async with self._slot(deadline), asyncio.timeout(deadline.left()):
                answer = await self._exchanged(framed(message), control_id, question)
            reported = True
            self.breaker.succeeded()
        except (TimeoutError, OSError, BadFrame, BadMessage) as error:
            reported = True
            self.breaker.failed()
            log.warning("line_failed", system=self._name, error=type(error).__name__)
            if isinstance(error, TimeoutError):
                raise TooSlow(Target.HIS) from None
            raise Unusable(Target.HIS, f"{self._name}: {_why(error)}") from None
        except Unreachable:
            reported = True
            self.breaker.failed()
            raise
        except Unusable:
            reported = True
            self.breaker.succeeded()  # it is there, and speaks
            raise
        finally:
            if not reported:
                self.breaker.abandoned()
        return answer

    async def reach(self, seconds: float) -> None:
        """Connect and hang up: whether anybody listens. `OSError` if not."""
        async with asyncio.timeout(seconds):
            connection = await self._connected()
        connection.close()
        with suppress(OSError):
            await connection.writer.wait_closed()

    def drop_idle(self) -> None:
        """Keep no connection of before: certificates were renewed. What is under way is answered, and kept no longer."""
        self._era += 1
        while self._kept:
            self._kept.pop().close()

    async def close(self) -> None:
        """Close what is kept."""
        self.drop_idle()

    @property
    def _name(self) -> str:
        return self.address.name

    @asynccontextmanager
    async def _slot(self, deadline: Deadline) -> AsyncIterator[None]:
        if self._slots.locked():
            if self._waiting >= self._queue:
                raise Busy("等待的调用过多，请稍后再试", retry_after=1)
            self._waiting += 1
            try:
                async with asyncio.timeout(deadline.left()):
                    await self._slots.acquire()
            except TimeoutError:
                raise Busy(retry_after=1) from None
            finally:
                self._waiting -= 1
        else:
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()

    async def _exchanged(self, data: bytes, control_id: str, question: bool) -> Message:
        while question and self._kept:
            kept = self._kept.pop()
            if not kept.usable():
                kept.close()
                continue
            try:
                return await self._over(kept, data, control_id, keep=True)
            except (_Gone, OtherMessage):
                break
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                fresh = await self._connected()
        except OSError as error:  # TimeoutError is one
            raise Unreachable(Target.HIS, f"{self._name}: {type(error).__name__}") from None
        try:
            return await self._over(fresh, data, control_id, keep=question)
        except _Gone:
            raise Unusable(Target.HIS, f"{self._name}: closed without an answer") from None
        except OtherMessage:
            raise Unusable(Target.HIS, f"{self._name}: the answer is to another message") from None

    async def _over(self, connection: _Connection, data: bytes, control_id: str, *, keep: bool) -> Message:
        fine = False
        try:
            try:
                connection.writer.write(data)
                await connection.writer.drain()
            except ConnectionError:
                raise _Gone from None
            for _ in range(1 + ACCEPTS):
                answer = parsed(await self._frame(connection), self.address.charset)
                if fits(answer, control_id):
                    fine = keep
                    return answer
            raise Unusable(Target.HIS, f"{self._name}: accepted, and nothing more")
        finally:
            connection.used = monotonic()
            if fine and connection.era == self._era and connection.usable():
                self._kept.append(connection)
            else:
                connection.close()

    async def _frame(self, connection: _Connection) -> bytes:
        begun = False
        while not connection.waiting:
            try:
                data = await connection.reader.read(65_536)
            except ConnectionError:
                data = b""
            if not data:
                if begun:
                    raise BadFrame("closed in the middle of an answer")
                raise _Gone
            begun = True
            connection.waiting += connection.frames.feed(data)
        return connection.waiting.pop(0)

    async def _connected(self) -> _Connection:
        one, era = self.address, self._era
        name = one.host if one.tls is not None else None
        reader, writer = await asyncio.open_connection(
            one.host, one.port, ssl=one.tls, server_hostname=name, limit=65_536
        )
        if one.tls and one.identity and identity_of(writer.get_extra_info("peercert")) != one.identity:
            writer.close()
            raise ConnectionRefusedError("certificate is somebody else's")
        return _Connection(reader, writer, monotonic(), era)


def _why(error: Exception) -> str:
    """Words of ours, or the kind of what went wrong: never the other side's."""
    return str(error) if isinstance(error, BadFrame | BadMessage) else type(error).__name__
