"""One connection to a target: a request out, its answer in, parsed by llhttp (httptools). One exchange at a time."""

import asyncio
import ssl
from time import monotonic
from typing import cast

import httptools

from front_gateway.call import Headers
from front_gateway.heads import safe_values


class NotSent(OSError):
    """The target saw nothing of the call."""


class Broken(OSError):
    """The connection or the answer broke; `answered` says whether anything had come."""

    def __init__(self, why: str, *, answered: bool) -> None:
        super().__init__(why)
        self.answered = answered


class Line(asyncio.Protocol):
    """`reusable` once an answer ended where it said, with nothing after it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser: httptools.HttpResponseParser | None = None
        self._done: asyncio.Future[None] | None = None
        self._left = 0
        self._in_head = False
        self._to_the_end = False
        self._answered = False
        self.served = 0
        self.certificate = ""
        self.era = 0
        self.idle_since = 0.0
        self.reusable = False
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.parts: list[bytes] = []
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, greeted by TLS."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    async def exchange(self, request: bytes, max_reply: int, seconds: float) -> tuple[int, Headers, bytes]:
        """Send, and wait for the whole answer; `Broken` when it does not come or is none, `TimeoutError` when it is not there
        after `seconds`."""
        if seconds <= 0:
            raise TimeoutError
        if self.transport.is_closing():
            raise Broken("connection was closed", answered=False)
        self._parser = httptools.HttpResponseParser(self)
        self._done = self._loop.create_future()
        self._left = max_reply
        self._answered = self._to_the_end = self.reusable = False
        timer = self._loop.call_later(seconds, self._late)
        self.transport.write(request)
        try:
            await self._done
        except asyncio.CancelledError:
            self.transport.abort()
            raise
        finally:
            timer.cancel()
            self._done = self._parser = None
            self.served += 1
        headers = tuple(self.headers)
        body = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        self.idle_since = monotonic()
        return self.status, headers, body

    def close(self) -> None:
        """Hang up."""
        self.reusable = False
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; anything outside an exchange ends the connection."""
        parser = self._parser
        if parser is None:
            self.close()
            return
        self._answered = True
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("answer changes the protocol")
        except httptools.HttpParserError:
            self._fail("answer is no HTTP")

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side hung up: the end of an answer without a length, or of our hopes."""
        self.reusable = False
        if self._to_the_end and exc is None and self._done is not None and not self._done.done():
            self._done.set_result(None)
        else:
            self._fail("connection lost")

    def on_message_begin(self) -> None:
        """The answer begins; another one behind it is nobody's."""
        if self._done is None or self._done.done():
            self.reusable = False
            self.transport.close()
            return
        self.headers, self.parts, self._in_head = [], [], True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes behind a body as a trailer is dropped."""
        if self._in_head:
            self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if not self._in_head or self._parser is None:
            return
        self._in_head = False
        self.status = self._parser.get_status_code()
        named = dict(self.headers)
        keep = self._parser.get_http_version() == "1.1" and "close" not in named.get("connection", "").lower()
        framed = "content-length" in named or "transfer-encoding" in named or self.status in (204, 304)
        self._to_the_end = not framed and self.status >= 200
        self.reusable = keep and framed
        if int(named.get("content-length", "0") or 0) > self._left:
            self._fail("reply over the limit")
        elif not safe_values(tuple(self.headers)):
            self._fail("answer is no HTTP")

    def on_body(self, part: bytes) -> None:
        """A piece of the body."""
        if self._done is None or self._done.done():
            return
        self._left -= len(part)
        if self._left < 0:
            self._fail("reply over the limit")
        else:
            self.parts.append(part)

    def on_message_complete(self) -> None:
        """The answer is whole; an interim one (1xx) is not the answer."""
        if self._done is not None and not self._done.done() and self.status >= 200:
            self._done.set_result(None)

    def _late(self) -> None:
        self.reusable = False
        if self._done is not None and not self._done.done():
            self._done.set_exception(TimeoutError())
        self.transport.abort()

    def _fail(self, why: str) -> None:
        self.reusable = False
        if self._done is not None and not self._done.done():
            self._done.set_exception(Broken(why, answered=self._answered))
        self.transport.abort()


async def connect(host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> Line:
    """A new connection, greeted; `NotSent` when there is none within `seconds`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            _, line = await loop.create_connection(
                lambda: Line(loop), host, port, ssl=tls, server_hostname=host if tls else None
            )
    except (TimeoutError, OSError) as error:  # ssl.SSLError is one
        raise NotSent(type(error).__name__) from None
    return line
