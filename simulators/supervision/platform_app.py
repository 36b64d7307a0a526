"""The listener behind mutual TLS: `/openapi/api`, `/shanghai/api`, `/guangdong/api`."""

import asyncio

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.server import BodyLimit, exception_handlers
from simulators.supervision.days.desk import METHODS, DayDesk
from simulators.supervision.envelope import Request
from simulators.supervision.faults import TRANSPORT
from simulators.supervision.receiver import Receiver
from simulators.supervision.tables import Profile, guangdong, shanghai, tianjin


def create_app(receiver: Receiver, days: DayDesk | None = None) -> ASGIApp:
    def route(path: str, profile: Profile) -> Route:
        async def endpoint(request: HttpRequest) -> Response:
            asked = request.headers.get("x-service-method", "")
            if days is not None and profile is shanghai() and asked in METHODS:
                return await _answer_day(days, request)
            return await _answer(receiver, profile, request)

        return Route(path, endpoint, methods=["POST"])

    app = Starlette(
        routes=[
            route("/openapi/api", tianjin()),
            route("/shanghai/api", shanghai()),
            route("/guangdong/api", guangdong()),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers=exception_handlers(),
    )
    return _WithTransport(app)


async def _answer(receiver: Receiver, profile: Profile, request: HttpRequest) -> Response:
    faults = receiver.faults
    await faults.delay()
    if (instead := faults.before(request)) is not None:
        return instead
    address = request.client.host if request.client else ""
    body = await request.body()
    return faults.after(receiver.receive(Request(request.headers, body, address), profile))


async def _answer_day(days: DayDesk, request: HttpRequest) -> Response:
    """A whole day is counted beside the loop, which goes on receiving."""
    await days.faults.delay()
    if (instead := days.faults.before(request)) is not None:
        return instead
    address = request.client.host if request.client else ""
    asked = days.opened(Request(request.headers, await request.body(), address))
    if isinstance(asked, Response):
        return days.faults.after(asked)
    return days.faults.after(await asyncio.to_thread(days.answer, asked))


class _WithTransport:
    """Leaves the connection in the scope, so that a fault can cut it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await self._app(scope, receive, send)
