"""What a small signed service is made of beside its own paths: settings, refusals, faults on every endpoint, the application."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulators.server import BodyLimit, Clock, Common, Faults, control_routes, error, exception_handlers
from simulators.signed.requests import AppKey, Unsigned, unsigned_handler

Endpoint = Callable[[Request], Awaitable[Response]]
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Of a page that only shows."""


@dataclass(frozen=True)
class Settings:
    """Of a service with one customer and a store."""

    common: Common
    data: Path
    app_key: str
    secret: str = field(repr=False)


class Refused(Exception):
    """The service does not do it; `code` as on the wire, `message` for people."""

    def __init__(self, code: str, status: int, message: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.message = code, status, message


async def refused_handler(_: Request, problem: Exception) -> Response:
    """For `Starlette(exception_handlers={Refused: …})`."""
    assert isinstance(problem, Refused)
    return error(problem.status, problem.code, problem.message)


class SignedService:
    """Routes behind the customer's signature and the faults `down`, `slow_seconds` and `garbage`."""

    def __init__(self, settings: Settings, clock: Clock, faults: Faults) -> None:
        self._settings, self._clock, self._faults = settings, clock, faults
        self._customer = AppKey(settings.app_key, settings.secret, clock)

    def route(self, path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        """Reached by signed requests only, and spoiled as the switches say."""
        return Route(path, self._spoiled(self._customer.protect(endpoint)), methods=[method])

    def _spoiled(self, endpoint: Endpoint) -> Endpoint:
        async def run(request: Request) -> Response:
            if self._faults.on("down"):
                return down()
            await self._faults.delay()
            if self._faults.on("garbage"):
                return Response("<html>系统维护中", media_type="text/html")
            return await endpoint(request)

        return run

    def app(self, routes: Sequence[BaseRoute], at_end: Callable[[], None]) -> Starlette:
        """The application with its controls; `at_end` closes the store."""

        @contextlib.asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            at_end()

        return Starlette(
            routes=[*routes, *control_routes(self._settings.common.env, self._clock, self._faults)],
            middleware=[Middleware(BodyLimit)],
            exception_handlers={
                **exception_handlers(), Unsigned: unsigned_handler, Refused: refused_handler,
            },
            lifespan=lifespan,
        )  # fmt: skip


def down() -> Response:
    """As if it were away."""
    return error(503, "DOWN", "服务暂不可用")
