"""What belongs to the account: who is logged in, bills, messages."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.screen import go, patient, show
from miniapp_mock.front.timeline import entries, histories


async def mine(request: Request) -> Response:
    """The account's own page."""
    api = patient(request)
    if not api.token:
        return go("/login?next=/mine")
    me, persons = await api.get("/me"), await api.get("/persons")
    own = next((one for one in persons if one["kind"] == "self"), None)
    return await show(request, "patient/mine.html", me=me, own=own, persons=persons)


async def messages(request: Request) -> Response:
    """What happened lately; the list itself comes as a fragment."""
    if not patient(request).token:
        return go("/login?next=/messages")
    return await show(request, "patient/messages.html")


async def message_list(request: Request) -> Response:
    """The newest first."""
    found = [entry for history in await histories(patient(request)) for entry in entries(history)]
    found.sort(key=lambda entry: entry.at, reverse=True)
    return await show(request, "patient/message_list.html", entries=found[:40])


async def payments(request: Request) -> Response:
    """Bills of visits and drugs."""
    known = await histories(patient(request))
    return await show(request, "patient/payments.html", back="/mine", known=known)


ROUTES: list[BaseRoute] = [
    Route("/mine", mine),
    Route("/messages", messages),
    Route("/messages/list", message_list),
    Route("/payments", payments),
]
