"""The plain port: console pages, health, test controls."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.server import BodyLimit, Clock, control_routes, exception_handlers
from simulators.supervision.console.board import Board
from simulators.supervision.console.checking import Checking
from simulators.supervision.console.daily import Daily
from simulators.supervision.console.drawing import Drawing
from simulators.supervision.console.entrance import Entrance
from simulators.supervision.console.following import Following
from simulators.supervision.console.inspection import Inspection
from simulators.supervision.console.lists import Lists
from simulators.supervision.console.sessions import Sessions
from simulators.supervision.console.shell import FOLDER, Shell
from simulators.supervision.controls import test_routes
from simulators.supervision.faults import PlatformFaults
from simulators.supervision.hospital_door import HospitalDoor
from simulators.supervision.oversight import questions
from simulators.supervision.settings import Settings
from simulators.supervision.store import Database

VENDORED = Path(__file__).parents[3] / "miniapp_mock" / "front" / "static" / "vendor"
"""The browser libraries of all pages lie once in the repository (docs/decisions/0110-one-folder-of-browser-libraries.md)."""
SWEEP_SECONDS = 10
LOG = logging.getLogger(__name__)
HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
}


def create_app(settings: Settings, database: Database, clock: Clock, faults: PlatformFaults) -> Starlette:
    shell = Shell(settings, database, clock, Sessions(settings.supervisors, clock))
    access = settings.hospital_door
    door = HospitalDoor(access.urls, access.tls)
    routes: list[Route] = []
    for group in (
        Inspection(shell, door),
        Board(shell),
        Following(shell, door),
        Daily(shell),
        Drawing(shell),
        Checking(shell),
        Lists(shell),
    ):
        routes += group.routes()
    return Starlette(
        routes=[
            *control_routes(settings.common.env, clock, faults, extra=test_routes(database)),
            *routes,
            *Entrance(shell).routes(),
            Mount("/static/vendor", StaticFiles(directory=VENDORED)),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(_SafeHeaders), Middleware(BodyLimit)],
        exception_handlers=exception_handlers(),
        lifespan=_sweeping(database, door, clock),
    )


def _sweeping(
    database: Database, door: HospitalDoor, clock: Clock
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """While the console runs, questions go out and answers come in by themselves."""

    async def sweep() -> None:
        while True:
            try:
                await questions.sweep(database, door, clock)
            except Exception:  # whatever the hospital said: the next round is asked all the same
                LOG.exception("questions could not be swept")
            await asyncio.sleep(SWEEP_SECONDS)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(sweep()) if door.there else None
        yield
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan


class _SafeHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}  # a page that needs more says so itself
                safe = [one for one in HEADERS.items() if one[0] not in own]
                message["headers"] = [*message["headers"], *safe]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
