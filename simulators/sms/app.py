"""The company as one ASGI application: the signed API, and a page with everything it pretends to have sent."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulators import signed
from simulators.server import Clock, Faults
from simulators.sms.service import NOTICE, Company
from simulators.sms.store import Store
from simulators.sms.wire import NewMessage

HERE = Path(__file__).parent
SHANGHAI = timezone(timedelta(hours=8))


def declared_faults() -> Faults:
    return Faults(
        down=bool, slow_seconds=float, garbage=bool, lose_answers=bool, refuse=str, undelivered=bool
    )


def create_app(settings: signed.Settings, clock: Clock, faults: Faults) -> Starlette:
    store = Store(settings.data)
    api = _Api(Company(store, clock), store, faults)
    service = signed.SignedService(settings, clock, faults)
    return service.app(
        [
            service.route("/v1/messages", api.send, "POST"),
            service.route("/v1/messages/{id}", api.show),
            Route("/phones/{phone}/messages", api.of_phone),
            Route("/sent", _page(store)),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        at_end=store.close,
    )


class _Api:
    def __init__(self, company: Company, store: Store, faults: Faults) -> None:
        self._company, self._store, self._faults = company, store, faults

    async def send(self, request: Request) -> Response:
        wanted = await signed.read(request, NewMessage)
        if words := self._faults.text("refuse"):
            raise signed.Refused("REFUSED", 422, words)
        message, new = self._company.take(wanted, arrives=not self._faults.on("undelivered"))
        if self._faults.on("lose_answers"):
            return signed.down()
        return JSONResponse(self._company.described(message), status_code=201 if new else 200)

    async def show(self, request: Request) -> Response:
        return JSONResponse(self._company.described(self._company.find(request.path_params["id"])))

    async def of_phone(self, request: Request) -> Response:
        """For tests and the journey client: what a phone would show, newest first."""
        found = self._store.of_phone(request.path_params["phone"])
        messages = [{"id": str(one.id), "template": one.template, "text": one.text} for one in found]
        return JSONResponse({"notice": NOTICE, "messages": messages})


def _page(store: Store) -> signed.Endpoint:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pages.filters["clock"] = lambda at: f"{datetime.fromtimestamp(at, SHANGHAI):%m-%d %H:%M:%S}"

    async def sent(_: Request) -> Response:
        html = pages.get_template("sent.html").render(notice=NOTICE, messages=store.newest())
        return HTMLResponse(html, headers=signed.PAGE_HEADERS)

    return sent
