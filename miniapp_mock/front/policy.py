"""What a page may do in the browser: nothing that is not ours."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PERMISSIONS = "camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), display-capture=()"


def content_policy(sockets: Sequence[str]) -> str:
    """`Content-Security-Policy`: own scripts and styles only, WebSockets to the API and the media processes."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob: mediastream:",
            " ".join(("connect-src 'self'", *sockets)),
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class Policy:
    """ASGI middleware: the policy on every answer, and no copy of a page kept anywhere."""

    def __init__(self, app: ASGIApp, sockets: Sequence[str], *, https: bool) -> None:
        self.app, self.policy, self.https = app, content_policy(sockets), https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = self.policy
                headers["permissions-policy"] = PERMISSIONS
                headers["cross-origin-opener-policy"] = "same-origin"
                headers.setdefault("cache-control", "no-store")
                if self.https:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)
