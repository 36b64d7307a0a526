"""The front as one ASGI application: pages, their live streams, static files, health."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from foundation.clock import Clock
from foundation.web.health import health_routes
from foundation.web.middleware import RequestId
from miniapp_mock.front.assets import Assets
from miniapp_mock.front.backend_client import Api, open_api
from miniapp_mock.front.guard import Guard
from miniapp_mock.front.pages import page_routes
from miniapp_mock.front.policy import Policy
from miniapp_mock.front.refusals import HANDLERS, Crash, refuse
from miniapp_mock.front.screen import Screen
from miniapp_mock.front.settings import Settings

Connect = Callable[[str], AbstractAsyncContextManager[Api]]


def create_app(settings: Settings, connect: Connect = open_api) -> Starlette:
    """The application; `connect` makes the client of the backend, which lives as long as the process."""
    clock, assets = Clock(), Assets()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connect(settings.backend_url) as api:
            app.state.screen = Screen(settings, clock, api, assets)
            yield

    async def backend() -> None:
        await app.state.screen.api.ping()

    table: list[BaseRoute] = [
        *page_routes(),
        *assets.routes(),
        *health_routes({"backend": backend}, clock, settings.env),
    ]
    handlers: Any = HANDLERS
    app = Starlette(
        routes=table,
        middleware=[
            Middleware(RequestId),
            Middleware(Policy, sockets=settings.sockets, https=settings.origin.startswith("https:")),
            Middleware(Guard, origin=settings.origin, refuse=refuse),
            Middleware(Crash),
        ],
        lifespan=lifespan,
        exception_handlers=handlers,
    )
    app.router.redirect_slashes = False
    return app
