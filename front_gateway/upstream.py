"""One target behind the gateway: connections, deadline, bounded concurrency and queue, breaker. Retries nothing.

(aiohttp alone sends a GET once more when a kept connection turns out to be closed; a POST never.)
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
from yarl import URL

from foundation.errors import Busy
from foundation.logs import log
from front_gateway.breaker import Breaker
from front_gateway.call import Headers
from front_gateway.deadline import Deadline
from front_gateway.refusals import Target, TooSlow, Unreachable, Unusable

GATEWAY_STATUS = frozenset({502, 503, 504})
"""A target that answers so is as good as away; these count against it."""
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""The target saw nothing of the call. Any other break is ambiguous, and must not look like these to the caller."""
KEPT_SECONDS = 3.0
"""Idle connections are dropped before usual servers (5 s) drop them, so that no POST meets a closing one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the target said, undecoded."""

    status: int
    headers: Headers
    body: bytes


class Upstream:
    """`base` is the target's address without a final slash."""

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
    ) -> None:
        self.target = target
        self.base = URL(base.rstrip("/"), encoded=True)
        self.breaker = breaker or Breaker()
        self._tls = tls
        self._at_once = at_once
        self._queue = queue
        self._max_reply = max_reply
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Upstream":
        connector = aiohttp.TCPConnector(
            ssl=self._tls if self._tls is not None else False,
            limit=self._at_once,
            keepalive_timeout=KEPT_SECONDS,
            ttl_dns_cache=30,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self, method: str, path_and_query: str, headers: Headers, body: bytes | None, deadline: Deadline
    ) -> Reply:
        """One request. `Unreachable` and `Busy` when the target saw nothing of it; `TooSlow`, and `Unusable` for a reply
        over its limit or a connection that broke, when it may have."""
        if not self.breaker.admit():
            raise Unreachable(self.target, "breaker open", retry_after=self.breaker.retry_after())
        reported = False
        try:
            async with self._slot(deadline):
                reply = await self._exchange(method, path_and_query, headers, body, deadline)
            reported = True
            if reply.status in GATEWAY_STATUS:
                self.breaker.failed()
            else:
                self.breaker.succeeded()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            reported = True
            self.breaker.failed()
            log.warning("upstream_failed", target=self.target.value, error=type(error).__name__)
            if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
                raise TooSlow(self.target) from None
            if isinstance(error, NOT_SENT):
                raise Unreachable(self.target, type(error).__name__) from None
            raise Unusable(self.target, type(error).__name__) from None
        finally:
            if not reported:
                self.breaker.abandoned()
        return reply

    async def reach(self, seconds: float) -> None:
        """Connect, greet by TLS, hang up: whether the target is there, without asking it anything. `OSError` if not."""
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(self.base.host, self.base.port, ssl=self._tls)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

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

    async def _exchange(
        self, method: str, path_and_query: str, headers: Headers, body: bytes | None, deadline: Deadline
    ) -> Reply:
        assert self._session is not None
        left = deadline.left()
        if left <= 0:
            raise TimeoutError
        async with self._session.request(
            method,
            URL(f"{self.base}{path_and_query}", encoded=True),
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=left, sock_connect=min(left, 2.0)),
        ) as response:
            parts, size = [], 0
            async for part in response.content.iter_chunked(65_536):
                size += len(part)
                if size > self._max_reply:
                    raise Unusable(self.target, "reply over the limit")
                parts.append(part)
            names = tuple((name.lower(), value) for name, value in response.headers.items())
            return Reply(response.status, names, b"".join(parts))
