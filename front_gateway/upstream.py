"""One target behind the gateway: kept connections, deadline, bounded concurrency and queue, breaker.

Nothing is sent twice but a GET that met a kept connection which the target had closed before answering anything.
"""

import asyncio
import ssl
from base64 import b64encode
from collections import deque
from dataclasses import dataclass
from time import monotonic

from yarl import URL

from foundation.errors import Busy
from foundation.logs import log
from front_gateway.breaker import Breaker
from front_gateway.call import Headers
from front_gateway.deadline import Deadline
from front_gateway.heads import request_bytes
from front_gateway.identity import identity_of
from front_gateway.line import Broken, Line, NotSent, connect
from front_gateway.refusals import Target, TooSlow, Unreachable, Unusable

GATEWAY_STATUS = frozenset({502, 503, 504})
"""A target that answers so is as good as away; these count against it."""
CONNECT_SECONDS = 2.0
KEPT_SECONDS = 3.0
"""Idle connections are dropped before usual servers (5 s) drop them, so that no POST meets a closing one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the target said, undecoded. `certificate`: what it showed in the handshake (DER in base64), with its first answer."""

    status: int
    headers: Headers
    body: bytes
    certificate: str = ""


class Upstream:
    """`base` is the target's address without a final slash; `identity`, when given, is the one URI name that its
    certificate must carry beside the host name."""

    def __init__(
        self,
        target: Target,
        base: str,
        tls: ssl.SSLContext | None,
        *,
        at_once: int = 64,
        queue: int = 256,
        max_reply: int = 5_000_000,
        breaker: Breaker | None = None,
        identity: str = "",
        tells: bool = False,
    ) -> None:
        """`tells`: replies bring the certificate."""
        self.target = target
        self.base = URL(base.rstrip("/"), encoded=True)
        self.breaker = breaker or Breaker()
        self._host = self.base.host or ""
        self._port = self.base.port or 443
        self._named = self.base.raw_authority
        self._path = self.base.raw_path.rstrip("/")
        self._tls = tls if self.base.scheme == "https" else None
        self._identity = identity
        self._tells = tells
        self._queue = queue
        self._max_reply = max_reply
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._idle: deque[Line] = deque()
        self._era = 0

    async def __aenter__(self) -> "Upstream":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop_idle()

    def drop_idle(self) -> None:
        """Keep no connection of now: the next call connects anew, with the certificate of then."""
        self._era += 1
        while self._idle:
            self._idle.popleft().close()

    async def send(
        self, method: str, path_and_query: str, headers: Headers, body: bytes | None, deadline: Deadline
    ) -> Reply:
        """One request. `Unreachable` and `Busy` when the target saw nothing of it; `TooSlow`, and `Unusable` for a reply
        over its limit or a connection that broke, when it may have."""
        request = request_bytes(method, self._named, self._path + path_and_query, headers, body)
        if not self.breaker.admit():
            raise Unreachable(self.target, "breaker open", retry_after=self.breaker.retry_after())
        reported = False
        try:
            await self._enter(deadline)
            try:
                reply = await self._exchange(request, deadline, again=method == "GET")
            finally:
                self._slots.release()
            reported = True
            if reply.status in GATEWAY_STATUS:
                self.breaker.failed()
            else:
                self.breaker.succeeded()
        except (TimeoutError, NotSent, Broken) as error:
            reported = True
            self.breaker.failed()
            log.warning("upstream_failed", target=self.target.value, error=str(error) or type(error).__name__)
            if isinstance(error, NotSent):
                raise Unreachable(self.target, str(error)) from None
            if isinstance(error, Broken):
                raise Unusable(self.target, str(error)) from None
            raise TooSlow(self.target) from None
        finally:
            if not reported:
                self.breaker.abandoned()
        return reply

    async def reach(self, seconds: float) -> None:
        """Connect, greet by TLS, hang up: whether the target is there, without asking it anything. `OSError` if not."""
        (await self._connected(Deadline(seconds))).close()

    async def _enter(self, deadline: Deadline) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
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

    async def _exchange(self, request: bytes, deadline: Deadline, *, again: bool) -> Reply:
        line = self._kept() or await self._connected(deadline)
        try:
            status, headers, body = await line.exchange(request, self._max_reply, deadline.left())
        except Broken as error:
            if not again or error.answered or line.served < 2:
                raise
            line = await self._connected(deadline)
            status, headers, body = await line.exchange(request, self._max_reply, deadline.left())
        if line.reusable and line.era == self._era and not line.transport.is_closing():
            self._idle.append(line)
        else:
            line.close()
        shown, line.certificate = line.certificate, ""
        return Reply(status, headers, body, shown)

    def _kept(self) -> Line | None:
        """The connection that was used last, if any is fresh enough."""
        oldest = monotonic() - KEPT_SECONDS
        while self._idle and (self._idle[0].idle_since < oldest or self._idle[0].transport.is_closing()):
            self._idle.popleft().close()
        while self._idle:
            line = self._idle.pop()
            if not line.transport.is_closing():
                return line
        return None

    async def _connected(self, deadline: Deadline) -> Line:
        era = self._era
        line = await connect(
            self._host, self._port, self._tls, max(0.001, min(deadline.left(), CONNECT_SECONDS))
        )
        if (
            self._tls
            and self._identity
            and identity_of(line.transport.get_extra_info("peercert")) != self._identity
        ):
            line.close()
            raise NotSent("certificate is somebody else's")
        line.era = era
        if self._tells and self._tls:
            line.certificate = b64encode(
                line.transport.get_extra_info("ssl_object").getpeercert(True)
            ).decode()
        return line
