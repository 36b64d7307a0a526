"""The platform as one ASGI application: the signed API, and the page on which anybody verifies a bill."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulators import signed
from simulators.ebill.service import NOTICE, Platform, Refused
from simulators.ebill.settings import Settings
from simulators.ebill.store import Store
from simulators.ebill.wire import NewBill, Reversal
from simulators.server import BodyLimit, Clock, Faults, control_routes, error, exception_handlers

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
Endpoint = Callable[[Request], Awaitable[Response]]


def declared_faults() -> Faults:
    return Faults(down=bool, slow_seconds=float, garbage=bool, lose_answers=bool, refuse=str)


def create_app(settings: Settings, clock: Clock, faults: Faults) -> Starlette:
    store = Store(settings.data)
    platform = Platform(store, clock)
    customer = signed.AppKey(settings.app_key, settings.secret, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    def route(path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        return Route(path, _faulty(customer.protect(endpoint), faults), methods=[method])

    api = _Api(platform, faults)
    return Starlette(
        routes=[
            route("/v1/bills", api.issue, "POST"),
            route("/v1/bills/{code}/{number}/red", api.reverse, "POST"),
            route("/v1/bills/{code}/{number}", api.show),
            route("/v1/requests/{request_id}", api.of_request),
            Route("/verify", _verify_page(platform)),
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
    def __init__(self, platform: Platform, faults: Faults) -> None:
        self._platform, self._faults = platform, faults

    async def issue(self, request: Request) -> Response:
        wanted = await signed.read(request, NewBill)
        self._may_refuse()
        bill, new = self._platform.issue(wanted)
        return self._told(self._platform.described(bill), new=new)

    async def reverse(self, request: Request) -> Response:
        asked = await signed.read(request, Reversal)
        self._may_refuse()
        path = request.path_params
        bill, new = self._platform.reverse(path["code"], path["number"], asked)
        return self._told(self._platform.described(bill), new=new)

    async def show(self, request: Request) -> Response:
        path = request.path_params
        return JSONResponse(self._platform.details(self._platform.find(path["code"], path["number"])))

    async def of_request(self, request: Request) -> Response:
        return JSONResponse(
            self._platform.described(self._platform.of_request(request.path_params["request_id"]))
        )

    def _may_refuse(self) -> None:
        if words := self._faults.text("refuse"):
            raise Refused("REFUSED", 422, words)

    def _told(self, body: dict[str, Any], *, new: bool) -> Response:
        """It is done; whether the answer arrives is another matter."""
        if self._faults.on("lose_answers"):
            return error(503, "DOWN", "服务暂不可用")
        return JSONResponse(body, status_code=201 if new else 200)


def _faulty(endpoint: Endpoint, faults: Faults) -> Endpoint:
    async def run(request: Request) -> Response:
        if faults.on("down"):
            return error(503, "DOWN", "服务暂不可用")
        await faults.delay()
        if faults.on("garbage"):
            return Response("<html>系统维护中", media_type="text/html")
        return await endpoint(request)

    return run


def _verify_page(platform: Platform) -> Endpoint:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pages.filters["yuan"] = lambda fen: f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"

    async def verify(request: Request) -> Response:
        """Code, number and check code must all fit; nothing is said about a bill of which only two do."""
        query = request.query_params
        found = None
        with contextlib.suppress(Refused):
            bill = platform.find(query.get("code", ""), query.get("number", ""))
            if bill.check_code == query.get("check", "").lower():
                found = platform.details(bill)
        html = pages.get_template("verify.html").render(
            notice=NOTICE, bill=found, asked=bool(query), query=query
        )
        return HTMLResponse(html, 200 if found or not query else 404, headers=HEADERS)

    return verify


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    return error(problem.status, problem.code, problem.message)
