"""The platform as one ASGI application: the signed API, and the page on which anybody verifies a bill."""

import contextlib
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulators import signed
from simulators.ebill.service import NOTICE, Platform
from simulators.ebill.store import Store
from simulators.ebill.wire import NewBill, Reversal
from simulators.server import Clock, Faults

HERE = Path(__file__).parent


def declared_faults() -> Faults:
    return Faults(down=bool, slow_seconds=float, garbage=bool, lose_answers=bool, refuse=str)


def create_app(settings: signed.Settings, clock: Clock, faults: Faults) -> Starlette:
    store = Store(settings.data)
    platform = Platform(store, clock)
    service = signed.SignedService(settings, clock, faults)
    api = _Api(platform, faults)
    return service.app(
        [
            service.route("/v1/bills", api.issue, "POST"),
            service.route("/v1/bills/{code}/{number}/red", api.reverse, "POST"),
            service.route("/v1/bills/{code}/{number}", api.show),
            service.route("/v1/requests/{request_id}", api.of_request),
            Route("/verify", _verify_page(platform)),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        at_end=store.close,
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
            raise signed.Refused("REFUSED", 422, words)

    def _told(self, body: dict[str, Any], *, new: bool) -> Response:
        """It is done; whether the answer arrives is another matter."""
        if self._faults.on("lose_answers"):
            return signed.down()
        return JSONResponse(body, status_code=201 if new else 200)


def _verify_page(platform: Platform) -> signed.Endpoint:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pages.filters["yuan"] = lambda fen: f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"

    async def verify(request: Request) -> Response:
        """Code, number and check code must all fit; nothing is said about a bill of which only two do."""
        query = request.query_params
        found = None
        with contextlib.suppress(signed.Refused):
            bill = platform.find(query.get("code", ""), query.get("number", ""))
            if bill.check_code == query.get("check", "").lower():
                found = platform.details(bill)
        html = pages.get_template("verify.html").render(
            notice=NOTICE, bill=found, asked=bool(query), query=query
        )
        return HTMLResponse(html, 200 if found or not query else 404, headers=signed.PAGE_HEADERS)

    return verify
