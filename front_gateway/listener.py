"""The port between zones: mutual TLS on asyncio's protocols, turned into `Call` and `Answer`.

The caller's identity is the URI SAN of the certificate of this very connection. A connection carries one call at a time; what
comes early waits, up to `MAX_EARLY` bytes, and then in the caller's own buffers. Every wait ends (`limits.Waits`). After anything
that is not plain, or whose body was not read, the connection is closed: nothing that follows could be trusted to be a new call.
"""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import cast

from foundation.errors import AppError, TooLarge
from foundation.logs import log, request_id
from front_gateway.call import Answer, Call, problem
from front_gateway.heads import MAX_HEAD, Asked, answer_bytes, hopeless
from front_gateway.identity import identity_of
from front_gateway.limits import Waits
from front_gateway.metrics import count
from front_gateway.refusals import BadTarget
from front_gateway.targets import announced_length

MAX_EARLY = 65_536
MAX_LINGER = 2_000_000
Serve = Callable[[Call], Awaitable[Answer]]


class Listener:
    """Serves calls until `close`; `port` is the one that was really taken."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext, waits: Waits | None = None) -> None:
        self.serve = serve
        self.waits = waits or Waits()
        self.open_ones: set[_Connection] = set()
        self.closing = False
        self.port = 0
        self._tls = tls
        self._socket: asyncio.Server | None = None
        self._sweep: asyncio.Task[None] | None = None
        self._emptied = asyncio.Event()

    async def open(self, host: str, port: int) -> None:
        """Start listening; `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        self._socket = await loop.create_server(
            lambda: _Connection(self, loop),
            host,
            port,
            ssl=self._tls,
            backlog=1_024,
            ssl_handshake_timeout=self.waits.handshake,
            ssl_shutdown_timeout=2,
        )
        self.port = self._socket.sockets[0].getsockname()[1]
        self._sweep = asyncio.create_task(self._end_waits())

    def left(self, connection: "_Connection") -> None:
        """A connection has ended."""
        self.open_ones.discard(connection)
        if not self.open_ones:
            self._emptied.set()

    async def close(self, seconds: float = 5.0) -> None:
        """Take no more, let running calls end within `seconds`."""
        self.closing = True
        if self._socket is not None:
            self._socket.close()
        for one in list(self.open_ones):
            one.close_when_idle()
        running = [one.task for one in self.open_ones if one.task is not None]
        if running:
            await asyncio.wait(running, timeout=seconds)
        if self.open_ones:  # the last answers are on their way
            self._emptied.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), 1)
        for one in list(self.open_ones):
            one.transport.abort()
        if self._sweep is not None:
            self._sweep.cancel()

    async def _end_waits(self) -> None:
        waits = self.waits
        pause = min(1.0, min(waits.idle, waits.head, waits.body, waits.write) / 4)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for one in list(self.open_ones):
                if one.until < now:
                    one.out_of_time()


class _Connection(asyncio.Protocol):
    """One caller's connection. `until` is when its present wait ends; none while a call runs, which has its own deadline."""

    __slots__ = (
        "_address", "_begun", "_blocked", "_body", "_buffer", "_drained", "_identity", "_length", "_linger", "_listener", "_loop", "_paused",
        "_unread", "_wanted", "task", "transport", "until",
    )  # fmt: skip

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._listener = listener
        self._loop = loop
        self._buffer = bytearray()
        self._body: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._wanted = 0
        self._length = 0
        self._begun = False
        self._unread = False
        self._linger = -1
        self._paused = False
        self._blocked = False
        self._identity = ""
        self._address = ""
        self.task: asyncio.Task[None] | None = None
        self.until = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is over: remember who is at the other end."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self._identity = identity_of(transport.get_extra_info("peercert"))
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        others = self._listener.open_ones
        if self._listener.closing or len(others) >= self._listener.waits.connections:
            log.warning("connection_refused", open=len(others))
            self.transport.abort()
            return
        others.add(self)
        self._wait(self._listener.waits.idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """A running call goes on to its audit line; a body that was awaited will not come."""
        self._listener.left(self)
        if self._body is not None and not self._body.done():
            self._body.set_exception(BadTarget("body did not arrive"))
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Bytes, at any boundary."""
        if self._linger >= 0:
            if self._linger:
                self._linger = max(0, self._linger - len(data))
                if not self._linger:
                    self._end()
            return
        self._buffer += data
        if self.task is None and not self._blocked:
            self._next()
        elif self._body is not None:
            if len(self._buffer) >= self._wanted and not self._body.done():
                self._body.set_result(None)
        elif len(self._buffer) > MAX_EARLY and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def pause_writing(self) -> None:
        """The caller does not take the answer as fast as it is written."""
        self._blocked = True
        self._wait(self._listener.waits.write)

    def resume_writing(self) -> None:
        """It was taken."""
        self._blocked = False
        if self._drained is not None and not self._drained.done():
            self.until = float("inf")
            self._drained.set_result(None)
        elif self.task is None and self._linger < 0 and not self.transport.is_closing():
            self._next()

    def out_of_time(self) -> None:
        """The present wait is over."""
        if self._body is not None and not self._body.done():
            self.until = float("inf")
            self._body.set_exception(BadTarget("body did not arrive"))
        elif self._buffer and self.task is None and not self._blocked and self._linger < 0:
            self._refuse(BadTarget("head did not arrive"))
        elif self._buffer or self._blocked or self._linger >= 0:
            self.transport.abort()
        else:
            self._end()

    def close_when_idle(self) -> None:
        """Close now, or after the call that runs."""
        if self.task is None and self._linger < 0:
            self._end()

    def _end(self) -> None:
        """Close; who does not take the last bytes is cut off."""
        self._linger = 0
        self._wait(self._listener.waits.write)
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        self.until = self._loop.time() + seconds

    def _next(self) -> None:
        """Begin the call whose head is whole; more of them wait."""
        buffer = self._buffer
        waits = self._listener.waits
        if not buffer:
            self._wait(waits.idle)
            return
        end = buffer.find(b"\r\n\r\n")
        if not 0 <= end <= MAX_HEAD:
            if hopeless(buffer):
                self._refuse(BadTarget("not HTTP/1.1, or a head over its limit"))
            elif not self._begun:
                self._begun = True  # from here on the head has its seconds, however it drips
                self._wait(waits.head)
            return
        raw = bytes(buffer[: end + 4])
        del buffer[: end + 4]
        self._begun = False
        try:
            asked = Asked(raw)
        except AppError as refused:
            self._refuse(refused)
            return
        framed = asked.stays
        try:
            self._length = announced_length(asked.headers)
        except AppError:
            framed, self._length = False, 0  # the door will say why
        self.until = float("inf")
        call = Call(
            self._identity, self._address, asked.method, asked.target, asked.headers, self._read, self._flow
        )
        self.task = self._loop.create_task(self._serve(call, framed=framed))

    async def _serve(self, call: Call, *, framed: bool) -> None:
        self._unread = self._length > 0
        keep = framed and call.header("connection").lower() in ("", "keep-alive")
        answer = await self._listener.serve(call)
        keep = keep and not self._unread and not self._listener.closing and answer.code != BadTarget.code
        head_only = call.method == "HEAD"
        rest = self._length if self._unread else 0
        if answer.stream is not None:
            keep = await self._pass_on(answer, keep=keep and not head_only)
            self.task = None
        else:
            self.task = None
            self._write(answer, keep=keep, rest=rest, framed=framed, head_only=head_only)
        self._unread = False
        if keep and not self.transport.is_closing():
            if self._paused:
                self._paused = False
                self.transport.resume_reading()
            self._wait(self._listener.waits.write if self._blocked else self._listener.waits.idle)
            if not self._blocked and self._buffer:
                self._next()

    async def _read(self, limit: int) -> bytes:
        """The body, when it is within `limit` bytes and comes in time."""
        length = self._length
        if length > limit:
            raise TooLarge(f"内容不能超过 {limit} 字节")
        await self._until_there(length)
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._unread = False
        return body

    async def _flow(self, limit: int) -> AsyncIterator[bytes]:
        """The same in pieces as they come: no more of it is held than `MAX_EARLY` and a piece."""
        if self._length > limit:
            raise TooLarge(f"内容不能超过 {limit} 字节")
        while self._length:
            await self._until_there(1)
            piece = bytes(self._buffer[: self._length])
            del self._buffer[: len(piece)]
            self._length -= len(piece)
            self._unread = self._length > 0
            yield piece

    async def _until_there(self, size: int) -> None:
        """Wait until so many bytes of the body have come."""
        if len(self._buffer) >= size:
            return
        if self.transport.is_closing():
            raise BadTarget("body did not arrive")
        self._body, self._wanted = self._loop.create_future(), size
        self._wait(self._listener.waits.body)
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        try:
            await self._body
        finally:
            self._body = None
            self.until = float("inf")

    async def _pass_on(self, answer: Answer, *, keep: bool) -> bool:
        """An answer whose body is not held, as fast as the caller takes it; whether the connection may be kept."""
        assert answer.stream is not None
        left = answer.size
        try:
            if not self.transport.is_closing():
                self.transport.write(answer_bytes(answer, keep=keep, head_only=True))
            async for piece in answer.stream:
                left -= len(piece)
                if left < 0 or self.transport.is_closing():
                    break
                self.transport.write(piece)
                if self._blocked:
                    self._drained = self._loop.create_future()
                    await self._drained
                    self._drained = None
        except Exception as error:  # the head has left: all that can be said now is that it ended early
            log.error("stream_broke", error=f"{type(error).__name__}: {error}"[:200])
        finally:
            self._drained = None
            await answer.stream.aclose()
        if left:
            self.transport.abort()
        elif not keep:
            self._end()
        return keep and not left

    def _refuse(self, error: AppError) -> None:
        mark = request_id.set(secrets.token_hex(8))
        try:
            log.warning(
                "refused_by_parser", reason=getattr(error, "reason", error.code), caller=self._identity[:120]
            )
            count("", error.code, 0)
            self._write(problem(error), keep=False, rest=0, framed=False)
        finally:
            request_id.reset(mark)

    def _write(self, answer: Answer, *, keep: bool, rest: int, framed: bool, head_only: bool = False) -> None:
        """Answer. A connection that ends takes in what is still on its way, or the reset would take the answer with it."""
        if self.transport.is_closing():
            return
        try:
            self.transport.write(answer_bytes(answer, keep=keep, head_only=head_only))
        except UnicodeError:  # a header value beyond Latin-1: none of ours
            log.error("answer_not_writable", status=answer.status)
            self.transport.abort()
            return
        if keep:
            return
        missing = max(0, rest - len(self._buffer)) if framed else MAX_LINGER
        self._buffer.clear()
        if not missing:
            self._end()
            return
        self._linger = min(missing, MAX_LINGER)
        self._wait(self._listener.waits.linger)
        if self._paused:
            self._paused = False
            with suppress(RuntimeError):
                self.transport.resume_reading()
