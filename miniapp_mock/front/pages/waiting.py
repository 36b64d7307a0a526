"""When the doctor is late: money or place; and whether to go to a colleague."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import path_id, read_form
from miniapp_mock.front.pages.visits import visit
from miniapp_mock.front.screen import go, patient


async def choose(request: Request) -> Response:
    """Refund, or go on waiting."""
    form = await read_form(request)
    path = f"/appointments/{path_id(request, 'visit_id')}/late-choice"
    return await _do(request, path, {"choice": "refund" if form.get("choice") == "refund" else "keep"})


async def answer(request: Request) -> Response:
    """To the colleague, or not."""
    form = await read_form(request)
    verb = "agree" if form.get("answer") == "agree" else "refuse"
    return await _do(request, f"/handovers/{path_id(request, 'handover_id')}/{verb}", None)


async def _do(request: Request, path: str, body: dict[str, str] | None) -> Response:
    try:
        await patient(request).post(path, body)
    except Refused as refused:
        if refused.status != 409:
            raise
        return await visit(request, refused)
    return go(f"/visits/{path_id(request, 'visit_id')}")


ROUTES: list[BaseRoute] = [
    Route("/visits/{visit_id:uuid}/late", choose, methods=["POST"]),
    Route("/visits/{visit_id:uuid}/handovers/{handover_id:uuid}", answer, methods=["POST"]),
]
