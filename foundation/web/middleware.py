"""What wraps every request: an id that travels along, security headers, a closed door for unexpected hosts."""

import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.logs import request_id

_SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


class RequestId:
    """Takes `X-Request-Id` from the caller or makes one; sets it for logs, problems and the response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        current = given.decode() if _SAFE_ID.fullmatch(given) else secrets.token_hex(8)
        mark = request_id.set(current)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                extra = [(name, value) for name, value in HEADERS if name not in present]
                message["headers"] = [*message["headers"], (b"x-request-id", current.encode()), *extra]
            await send(message)

        try:
            await self.app(scope, receive, marked)
        finally:
            request_id.reset(mark)
