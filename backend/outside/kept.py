"""The hospital's own store behind the front gateways: sealed copies go there and come back, piece by piece."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import msgspec

from foundation.errors import AppError, Unavailable
from foundation.logs import log, request_id

TIMEOUT = aiohttp.ClientTimeout(total=1_800, connect=2, sock_read=60)
PIECE = 256 * 1024
DIGEST, PURPOSE = "x-content-sha256", "x-purpose"
KEEPING, READING = "keeping", "reading"
AWAY = "资料已移交医院保存，医院存储暂时无法连接，请稍后再试"
Content = Callable[[], AsyncIterator[bytes]]
"""Begins the copy anew each time it is called."""


class KeptRefused(AppError):
    """The gateway or the store will not have it, or does not have it: for a desk, not for a retry."""

    status, code, title = 502, "kept_refused", "医院存储没有接受"


class NotLetThrough(Unavailable):
    """No line of the gateway's whitelist lets it through now: none at all, or outside its hours."""

    code = "kept_not_let_through"


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""


@dataclass
class HospitalStore:
    """Client of the gateways; each is tried once. Adding the same bytes twice is harmless."""

    urls: tuple[str, ...]
    tls: ssl.SSLContext
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _preferred: int = field(default=0, init=False)

    async def put(self, key: str, size: int, sha256: str, content: Content) -> None:
        """Add a copy. `KeptRefused` naming why, `Unavailable` when it should be tried later."""
        headers = {DIGEST: sha256, "content-length": str(size), "content-type": "application/octet-stream"}
        async with self._asked("PUT", key, KEEPING, headers, content):
            return

    async def head(self, key: str) -> tuple[int, str]:
        """Size and SHA-256 (hex) of what is there."""
        async with self._asked("HEAD", key, KEEPING, {}) as response:
            return int(response.headers.get("content-length", "0")), response.headers.get(DIGEST, "")

    async def get(self, key: str, purpose: str) -> AsyncIterator[bytes]:
        """The copy in pieces; `Unavailable` when it breaks off."""
        async with self._asked("GET", key, purpose, {}) as response:
            try:
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("kept_copy_broke_off", error=type(error).__name__)
                raise Unavailable(AWAY, code="kept_copy_unreachable") from None

    @asynccontextmanager
    async def _asked(
        self, method: str, key: str, purpose: str, headers: dict[str, str], body: Content | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        named = {**headers, PURPOSE: purpose, "x-request-id": request_id.get() or "none-none"}
        for attempt in range(len(self.urls)):
            index = (self._preferred + attempt) % len(self.urls)
            url = f"{self.urls[index]}/kept/{key}"
            try:
                response = await self._open().request(
                    method, url, headers=named, data=body() if body else None
                )
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("gateway_unreachable", gateway=index, error=type(error).__name__)
                continue
            async with response:
                if response.status in (502, 503, 504) and attempt + 1 < len(self.urls):
                    continue
                self._preferred = index
                if response.status not in (200, 201):
                    raise await _refusal(response)
                yield response
                return
        raise Unavailable(AWAY, code="kept_copy_unreachable")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self.tls, limit=16)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=TIMEOUT, trust_env=False, auto_decompress=False
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def _refusal(response: aiohttp.ClientResponse) -> AppError:
    code = "not_kept" if response.status == 404 else ""
    if response.method != "HEAD":
        try:
            code = msgspec.json.decode(await response.content.read(10_000), type=_Problem).code
        except (msgspec.MsgspecError, aiohttp.ClientError, TimeoutError):
            code = ""
    if response.status == 403:
        return NotLetThrough(AWAY)
    if response.status >= 500 or response.status == 429:
        return Unavailable(AWAY, code=code or "kept_copy_unreachable")
    return KeptRefused(code=code or f"kept_refused_{response.status}")
