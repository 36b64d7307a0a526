"""The plain port: console pages, health, test controls."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.server import BodyLimit, Clock, control_routes, exception_handlers
from simulators.supervision.console.inspection import Inspection
from simulators.supervision.console.pages import FOLDER, Pages
from simulators.supervision.console.sessions import Sessions
from simulators.supervision.controls import test_routes
from simulators.supervision.faults import PlatformFaults
from simulators.supervision.hospital_door import HospitalDoor
from simulators.supervision.settings import Settings
from simulators.supervision.store import Database

HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
}


def create_app(settings: Settings, database: Database, clock: Clock, faults: PlatformFaults) -> Starlette:
    pages = Pages(settings, database, clock, Sessions(settings.supervisor, clock))
    access = settings.hospital_door
    inspection = Inspection(pages, HospitalDoor(access.urls, access.tls, settings.supervisor))
    return Starlette(
        routes=[
            *control_routes(settings.common.env, clock, faults, extra=test_routes(database)),
            *inspection.routes(),
            Route("/", pages.guarded(pages.board)),
            Route("/concerns", pages.guarded(pages.concerns)),
            Route("/records", pages.guarded(pages.records)),
            Route("/records/{number:int}", pages.guarded(pages.record)),
            Route("/visits", pages.guarded(pages.visits)),
            Route("/visits/{visit_no:path}", pages.guarded(pages.visit)),
            Route("/alerts", pages.guarded(pages.alerts)),
            Route("/feed", pages.guarded(pages.feed)),
            Route("/login", pages.login_form, methods=["GET"]),
            Route("/login", pages.login, methods=["POST"]),
            Route("/logout", pages.logout, methods=["POST"]),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(_SafeHeaders), Middleware(BodyLimit)],
        exception_handlers=exception_handlers(),
    )


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
