"""The operator's page, and the API behind it that a courier's hand-held would use."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from simulators import signed
from simulators.courier.api import with_events
from simulators.courier.service import Courier
from simulators.courier.statuses import ACTIONS, LABELS, Status
from simulators.courier.store import Store
from simulators.courier.wire import NewEvent
from simulators.server import SHANGHAI, BadField, Clock
from simulators.signed import Refused

HERE = Path(__file__).parent
SHOWN = 100
GROUPS: dict[str, tuple[str, tuple[Status, ...]]] = {
    "collect": ("待揽收", (Status.ACCEPTED,)),
    "moving": ("运输中", (Status.COLLECTED, Status.IN_TRANSIT)),
    "delivery": ("派送中", (Status.OUT_FOR_DELIVERY,)),
    "exception": ("异常", (Status.EXCEPTION,)),
    "ended": ("已结束", (Status.DELIVERED, Status.RETURNED, Status.CANCELLED)),
    "all": ("全部", tuple(Status)),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def operator_routes(courier: Courier, store: Store, clock: Clock) -> list[BaseRoute]:
    pages = _environment()

    def page(name: str, status: int = 200, **values: Any) -> Response:
        html = pages.get_template(name).render(now=clock.local(), **values)
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    async def index(request: Request) -> Response:
        group = request.query_params.get("group", "all")
        text = request.query_params.get("q", "").strip()[:64]
        _, statuses = GROUPS.get(group, GROUPS["all"])
        tabs = _tabs(group, text, store.counts())
        shipments = store.search(statuses, text, SHOWN)
        return page("parcels.html", tabs=tabs, shipments=shipments, text=text, group=group, limit=SHOWN)

    async def show(request: Request) -> Response:
        try:
            shipment = courier.find(request.path_params["waybill"])
        except Refused:
            return page("missing.html", 404)
        rows = list(reversed(store.events(shipment.waybill)))
        return page("parcel.html", shipment=shipment, rows=rows, choices=courier.choices(shipment.waybill))

    async def add_event(request: Request) -> Response:
        """JSON gets JSON; a form of the page goes back to the page."""
        waybill = request.path_params["waybill"]
        if _kind(request) == "application/json":
            event = await signed.read(request, NewEvent)
            moved = courier.move(waybill, event.status, event.place, event.note)
            return JSONResponse(with_events(moved, store), status_code=201)
        form = await _own_form(request)
        event = _from_form(form)
        try:
            courier.move(waybill, event.status, event.place, event.note)
        except Refused as problem:
            return page("missing.html", problem.status, problem="快件状态已变化，请返回刷新后再操作")
        return RedirectResponse(f"/operator/shipments/{waybill}", status_code=303)

    async def resend(request: Request) -> Response:
        await _own_form(request)
        shipment = courier.find(request.path_params["waybill"])
        courier.tell_again(shipment.waybill)
        return RedirectResponse(f"/operator/shipments/{shipment.waybill}", status_code=303)

    return [
        Route("/operator", index),
        Route("/operator/shipments/{waybill}", show),
        Route("/operator/shipments/{waybill}/events", add_event, methods=["POST"]),
        Route("/operator/shipments/{waybill}/callbacks", resend, methods=["POST"]),
        Mount("/operator/static", StaticFiles(directory=HERE / "static")),
    ]


def _tabs(group: str, text: str, counts: dict[Status, int]) -> list[dict[str, Any]]:
    return [
        {
            "href": "/operator?" + urlencode({"group": key, "q": text}),
            "label": label,
            "count": sum(counts.get(one, 0) for one in members),
            "current": key == group,
        }
        for key, (label, members) in GROUPS.items()
    ]


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _own_form(request: Request) -> FormData:
    """The form, when a page of ours sent it. Raises BadField, Refused."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("FOREIGN_PAGE", 403, "the form was sent by another site")
    if _kind(request) != "application/x-www-form-urlencoded":
        raise BadField("Content-Type", "expected application/json or a form")
    return await request.form()


def _from_form(form: FormData) -> NewEvent:
    """Raises BadField."""
    texts = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    try:
        return msgspec.convert(texts, NewEvent)
    except msgspec.ValidationError as problem:
        raise BadField("", str(problem)) from None


def _environment() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pages.filters["label"] = LABELS.__getitem__
    pages.filters["action"] = ACTIONS.__getitem__
    pages.filters["short_time"] = lambda at: datetime.fromisoformat(at).strftime("%m-%d %H:%M")
    pages.filters["clock_time"] = lambda at: (
        datetime.fromtimestamp(at, UTC).astimezone(SHANGHAI).strftime("%H:%M:%S")
    )
    pages.filters["masked_name"] = lambda name: name[:1] + "*" * (len(name) - 1)
    pages.filters["masked_phone"] = lambda phone: phone[:3] + "****" + phone[-4:] if len(phone) > 7 else phone
    return pages
