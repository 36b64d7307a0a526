"""Speaking to the system from outside: addresses, requests, refusals, and waiting for a condition with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from foundation.client import http_client

T = TypeVar("T")
WAIT_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.03


@dataclass(frozen=True)
class Places:
    """Public addresses a visitor needs."""

    api: str
    wechat: str
    courier: str
    adapter_health: str = ""
    supervision: str = ""


class Refused(Exception):
    """The system said no: status, the problem's code and its whole body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code', '')} {body.get('detail', '')}")
        self.status = status
        self.code = str(body.get("code", ""))
        self.body = body

    @property
    def fields(self) -> list[str]:
        """Names of the wrong fields."""
        return [str(issue["field"]) for issue in self.body.get("issues", [])]


class Api:
    """JSON calls to one address with one token."""

    def __init__(self, base: str, prefix: str = "/api/v1") -> None:
        self.http = http_client(base, seconds=20, connect=10)  # a test machine may be busy with other things
        self.prefix = prefix
        self.token = ""
        self.device = ""

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The decoded answer; `Refused` for 4xx and 5xx."""
        response = await self.raw(method, path, body, **options)
        content = (
            response.json() if response.content and "json" in response.headers.get("content-type", "") else {}
        )
        if response.status_code >= 400:
            raise Refused(response.status_code, content if isinstance(content, dict) else {})
        return content

    async def raw(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:  # fmt: skip
        """The response as it came."""
        sent = dict(headers or {})
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        if self.device:
            sent["x-device"] = self.device
        return await self.http.request(method, self.prefix + path, json=body, content=content, headers=sent)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


async def until(look: Callable[[], Awaitable[T | None]], what: str, seconds: float = WAIT_SECONDS) -> T:
    """The first value of `look` that is not None or False; `TimeoutError` naming what was waited for.

    The pause grows up to half a second: somebody who waits does not shake the system.
    """
    pause = LOOK_EVERY_SECONDS
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = await look()
                if found is not None and found is not False:
                    return found
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 0.5)
    except TimeoutError:
        raise TimeoutError(f"still waiting for {what} after {seconds:.0f} s") from None
