"""`X-App-Key`, `X-Timestamp`, `X-Signature`: HMAC-SHA256 over method, path with query, time and the body's hash."""

import functools
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from simulators.server import Clock, error

TOLERANCE_SECONDS = 300
Endpoint = Callable[[Request], Awaitable[Response]]


class Unsigned(Exception):
    """The request is not signed as it must be; `code` is STALE or BAD_SIGNATURE."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def signature(secret: str, method: str, target: str, timestamp: str, body: bytes) -> str:
    """Lower-case hex. `target` is the path with its query, byte for byte as it goes over the wire."""
    text = "\n".join((method, target, timestamp, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), text.encode("latin-1"), "sha256").hexdigest()


def headers(
    key: str, secret: str, *, method: str, target: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of a request that we send."""
    return {
        "X-App-Key": key,
        "X-Timestamp": str(timestamp),
        "X-Signature": signature(secret, method, target, str(timestamp), body),
    }


@dataclass(frozen=True)
class AppKey:
    """The one customer of a simulator: its key id and its secret."""

    key: str
    secret: str = field(repr=False)
    clock: Clock

    def protect(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, reached by signed requests only."""

        @functools.wraps(endpoint)
        async def checked(request: Request) -> Response:
            await self.check(request)
            return await endpoint(request)

        return checked

    async def check(self, request: Request) -> None:
        """Raises Unsigned."""
        timestamp = request.headers.get("x-timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise Unsigned("STALE")
        if abs(self.clock.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
            raise Unsigned("STALE")
        expected = signature(self.secret, request.method, _target(request), timestamp, await request.body())
        # An unknown key is answered like a wrong signature: nothing is told about which keys exist.
        same_key = hmac.compare_digest(request.headers.get("x-app-key", "").encode(), self.key.encode())
        same = hmac.compare_digest(request.headers.get("x-signature", "").encode(), expected.encode())
        if not (same_key and same):
            raise Unsigned("BAD_SIGNATURE")


def _target(request: Request) -> str:
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


async def unsigned_handler(_: Request, problem: Exception) -> Response:
    """For `Starlette(exception_handlers={Unsigned: …})`."""
    assert isinstance(problem, Unsigned)
    return error(401, problem.code)
