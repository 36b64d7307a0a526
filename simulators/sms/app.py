"""The company as one ASGI application: the signed API, and a page with everything it pretends to have sent."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulators import signed
from simulators.server import BodyLimit, Clock, Faults, control_routes, error, exception_handlers
from simulators.sms.service import NOTICE, Company, Refused
from simulators.sms.settings import Settings
from simulators.sms.store import Store
from simulators.sms.wire import NewMessage

HERE = Path(__file__).parent
SHANGHAI = timezone(timedelta(hours=8))
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
Endpoint = Callable[[Request], Awaitable[Response]]


def declared_faults() -> Faults:
    return Faults(
        down=bool, slow_seconds=float, garbage=bool, lose_answers=bool, refuse=str, undelivered=bool
    )


def create_app(settings: Settings, clock: Clock, faults: Faults) -> Starlette:
    store = Store(settings.data)
    api = _Api(Company(store, clock), store, faults)
    customer = signed.AppKey(settings.app_key, settings.secret, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    def route(path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        return Route(path, _faulty(customer.protect(endpoint), faults), methods=[method])

    return Starlette(
        routes=[
            route("/v1/messages", api.send, "POST"),
            route("/v1/messages/{id}", api.show),
            Route("/phones/{phone}/messages", api.of_phone),
            Route("/sent", _page(store)),
            Mount("/static", StaticFiles(directory=HERE / "static")),
            *control_routes(settings.common.env, clock, faults),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers={
            **exception_handlers(),
            signed.Unsigned: signed.unsigned_handler,
            Refused: _refused,
        },
        lifespan=lifespan,
    )


class _Api:
    def __init__(self, company: Company, store: Store, faults: Faults) -> None:
        self._company, self._store, self._faults = company, store, faults

    async def send(self, request: Request) -> Response:
        wanted = await signed.read(request, NewMessage)
        if words := self._faults.text("refuse"):
            raise Refused("REFUSED", 422, words)
        message, new = self._company.take(wanted, arrives=not self._faults.on("undelivered"))
        if self._faults.on("lose_answers"):
            return error(503, "DOWN", "服务暂不可用")
        return JSONResponse(self._company.described(message), status_code=201 if new else 200)

    async def show(self, request: Request) -> Response:
        return JSONResponse(self._company.described(self._company.find(request.path_params["id"])))

    async def of_phone(self, request: Request) -> Response:
        """For tests and the journey client: what a phone would show, newest first."""
        found = self._store.of_phone(request.path_params["phone"])
        messages = [{"id": str(one.id), "template": one.template, "text": one.text} for one in found]
        return JSONResponse({"notice": NOTICE, "messages": messages})


def _faulty(endpoint: Endpoint, faults: Faults) -> Endpoint:
    async def run(request: Request) -> Response:
        if faults.on("down"):
            return error(503, "DOWN", "服务暂不可用")
        await faults.delay()
        if faults.on("garbage"):
            return Response("<html>系统维护中", media_type="text/html")
        return await endpoint(request)

    return run


def _page(store: Store) -> Endpoint:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pages.filters["clock"] = lambda at: f"{datetime.fromtimestamp(at, SHANGHAI):%m-%d %H:%M:%S}"

    async def sent(_: Request) -> Response:
        html = pages.get_template("sent.html").render(notice=NOTICE, messages=store.newest())
        return HTMLResponse(html, headers=HEADERS)

    return sent


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    return error(problem.status, problem.code, problem.message)
