"""Just after a release: everybody who asks in the first seconds draws a ticket, and this page waits for the result."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.screen import go, is_fragment, leave, patient, screen_of, show
from miniapp_mock.front.words import moment

ALTERNATIVES = 9
WAITING = ("queued", "drawing")
SOON_MS, LATER_MS = 200, 10_000


async def same_release(api: Api, slot: Any) -> list[str]:
    """Other slots of the same doctor, day and release that still have a place, nearest in time first."""
    day = moment(slot["starts_at"])
    found = await api.get("/slots", practitioner=slot["practitioner_id"], day=day.date().isoformat())
    others = [
        one
        for one in found
        if one["id"] != slot["id"] and one["released_at"] == slot["released_at"] and one["remaining"]
    ]
    others.sort(key=lambda one: abs(moment(one["starts_at"]) - day))
    return [str(one["id"]) for one in others[:ALTERNATIVES]]


async def draw(api: Api, body: dict[str, Any], *, others: bool) -> str:
    """A ticket for the slot of a booking (and, if wished, the others of that day); empty when there is no draw any more."""
    slots = [body["slot_id"]]
    if others:
        every = await api.get("/slots")
        slot = next((one for one in every if one["id"] == body["slot_id"]), None)
        slots += await same_release(api, slot) if slot else []
    wanted = {name: value for name, value in body.items() if name != "slot_id"} | {"slot_ids": slots}
    ticket: dict[str, Any] = await api.post("/booking-tickets", wanted)
    return "" if ticket["state"] == "direct" else str(ticket["id"])


def waiting_page(ticket: str, again: str) -> Response:
    """To the page that waits; `again` is where one asks anew."""
    return go(f"/book/draw/{ticket}?{urlencode({'again': again})}")


async def wait(request: Request) -> Response:
    """正在排队; the result takes its place by itself."""
    ticket = request.path_params["ticket"]
    again = request.query_params.get("again", "")
    back = again if again.startswith("/book/") else "/book"
    api = patient(request)
    found = await api.get(f"/booking-tickets/{ticket}")
    if found["state"] == "won":
        row = await api.get(f"/appointments/{found['appointment_id']}")
        link = f"/payments/{row['payment_id']}" if row["payment_id"] else f"/visits/{row['id']}"
        return leave(request, link) if is_fragment(request) else go(link)
    template = "patient/draw_state.html" if is_fragment(request) else "patient/draw.html"
    after = min(max(int(found["check_after_ms"]), SOON_MS), LATER_MS)
    return await show(
        request, template, back=back, ticket=ticket, found=found, again=back, after=after, waits=found["state"] in WAITING,
        clock=screen_of(request).clock.now(),
    )  # fmt: skip


ROUTES: list[BaseRoute] = [Route("/book/draw/{ticket:str}", wait)]
