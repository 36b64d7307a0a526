"""Nobody else's page may act in a user's name: where the request comes from, and a token that only our pages know.

The token is an HMAC keyed by the browser's random cookie over the session cookies: it needs no store, ends with the
session, and nobody who cannot read the cookies can make it. Also here: bodies over a megabyte are turned away.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.errors import AppError, Forbidden, TooLarge
from miniapp_mock.front import cookies

HEADER, FIELD = "x-csrf-token", "csrf"
SAFE = ("GET", "HEAD", "OPTIONS")
FORM = "application/x-www-form-urlencoded"
FILES = ("image/", "audio/")
OPEN = ("/static/", "/_test/")
"""Nothing of a user's: files, and the clock switch, which exists under ENV=test only."""
LIMIT = 1_000_000
FILE_LIMIT = 5_000_000
PIECE_LIMIT = 262_144
"""Of a file that comes in pieces."""
FOREIGN = "这个操作不是从本页面发起的，请回到首页重新操作"
STALE = "页面停留时间较长，为了您的安全请刷新后再试"


def csrf_token(browser: str, *sessions: str) -> str:
    """The token for a browser and the sessions it holds."""
    return hmac.new(browser.encode(), "\n".join(sessions).encode(), hashlib.sha256).hexdigest()


def token_of(request: Request) -> str:
    """What pages of this request carry."""
    sessions = (cookies.read(request, cookies.PATIENT), cookies.read(request, cookies.DOCTOR))
    return csrf_token(request.state.browser, *sessions)


def comes_from_us(headers: Headers, origin: str) -> bool:
    """By `Origin` where the browser sends one, else by `Sec-Fetch-Site`; neither means no."""
    if sent := headers.get("origin"):
        return sent == origin
    return headers.get("sec-fetch-site") in ("same-origin", "none")


Refuse = Callable[[Request, AppError], Awaitable[Response]]


class Guard:
    """ASGI middleware; sets `state.browser`. `refuse` makes the page for what must not be carried out."""

    def __init__(self, app: ASGIApp, origin: str, refuse: Refuse) -> None:
        self.app, self.origin, self.refuse = app, origin, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        browser = cookies.read(request, cookies.BROWSER)
        scope.setdefault("state", {})["browser"] = browser or cookies.fresh()
        if scope["path"].startswith(OPEN):
            await self.app(scope, receive, send)
            return
        if not browser:
            send = _giving(request.state.browser, send)
        if scope["method"] not in SAFE:
            try:
                receive = await self._admitted(request, receive, known=bool(browser))
            except AppError as error:
                response = await self.refuse(request, error)
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _admitted(self, request: Request, receive: Receive, *, known: bool) -> Receive:
        """Where the body can be read (again) by the handler; raises what stands against the request."""
        kind, announced = request.headers.get("content-type", ""), request.headers.get("content-length", "0")
        limit = FILE_LIMIT if kind.startswith(FILES) else LIMIT
        if announced.isdigit() and int(announced) > limit:
            raise TooLarge(f"内容不能超过 {limit // 1_000_000} MB")
        if not comes_from_us(request.headers, self.origin):
            raise Forbidden(FOREIGN, code="foreign_origin")
        sent = request.headers.get(HEADER, "")
        if kind.startswith(FORM):
            body = await _read(receive)
            receive = _replaying(body)
            sent = sent or parse_qs(body.decode("utf-8", "replace")).get(FIELD, [""])[0]
        if not known or not hmac.compare_digest(sent.encode(), token_of(request).encode()):
            raise Forbidden(STALE, code="csrf")
        return receive


async def _read(receive: Receive) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > LIMIT:
            raise TooLarge(f"内容不能超过 {LIMIT // 1_000_000} MB")
        parts.append(part)
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def _replaying(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _giving(browser: str, send: Send) -> Send:
    """A browser without its cookie gets one with the first answer."""
    value = (
        f"{cookies.BROWSER}={browser}; HttpOnly; Max-Age={cookies.LIFE[cookies.BROWSER]}; Path=/; "
        "SameSite=lax; Secure"
    )

    async def giving(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if not any(one.startswith(f"{cookies.BROWSER}=") for one in headers.getlist("set-cookie")):
                headers.append("set-cookie", value)
        await send(message)

    return giving
