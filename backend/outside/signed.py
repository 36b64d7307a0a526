"""Requests signed by HMAC over their raw bytes (docs/counterparts.md): real-name service, CA, courier."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from backend.outside.calling import answered, reaching, trace
from foundation.client import http_client
from foundation.clock import Clock
from foundation.errors import Unavailable

T = TypeVar("T")
SKEW_SECONDS = 300


def signature(secret: str, method: str, path: str, timestamp: str, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 of method, path, time and the body's digest."""
    text = "\n".join((method, path, timestamp, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()


class SignedClient:
    """Calls one counterpart; `who` is its Chinese name for messages."""

    def __init__(self, base_url: str, app_key: str, secret: str, clock: Clock, who: str) -> None:
        self.http = http_client(base_url)
        self.app_key, self.secret, self.clock, self.who = app_key, secret, clock, who

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One signed call; `Unavailable` when there is no answer or a 5xx. Other statuses are the caller's."""
        raw = b"" if body is None else msgspec.json.encode(body)
        timestamp = str(self.clock.timestamp())
        headers = {
            "content-type": "application/json",
            "x-app-key": self.app_key,
            "x-timestamp": timestamp,
            "x-signature": signature(self.secret, method, path, timestamp, raw),
            **trace(),
        }
        async with reaching(self.who):
            return answered(await self.http.request(method, path, content=raw, headers=headers), self.who)

    def read(self, response: httpx.Response, kind: type[T]) -> T:
        """The body as `kind`; an answer we cannot read is no answer."""
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.MsgspecError as error:
            raise Unavailable(f"{self.who}返回的内容无法识别", code="counterpart_unusable") from error

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


def verified(secret: str, path: str, headers: Mapping[str, str], body: bytes, now: int) -> bool:
    """Whether a callback really comes from the counterpart and is fresh."""
    timestamp = headers.get("x-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > SKEW_SECONDS:
        return False
    expected, given = signature(secret, "POST", path, timestamp, body), headers.get("x-signature", "")
    return hmac.compare_digest(expected.encode(), given.encode())
