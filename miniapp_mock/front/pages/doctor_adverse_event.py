"""A doctor reports an adverse event of a visit of hers; what she reported is at the desk."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, path_id, read_form
from miniapp_mock.front.pages.doctor_login import needs_shift
from miniapp_mock.front.pages.doctor_visit import load
from miniapp_mock.front.screen import doctor, go, show

KINDS: Mapping[str, str] = {"medical": "医疗", "drug": "药品", "device": "器械", "other": "其他"}
DAMAGE: Mapping[str, str] = {
    "none": "无损害", "mild": "轻度", "moderate": "中度", "severe": "重度", "death": "死亡",
}  # fmt: skip
FIELDS = ("kind", "happened_at", "damage", "description", "cause", "measures", "improvements")


async def ask(request: Request, problem: Refused | None = None, typed: Form | None = None) -> Response:
    """The form, or that it was reported."""
    _, row = await load(request)
    back = f"/doctor/visits/{row['id']}"
    return await show(
        request, "doctor/adverse_event.html", back=back, row=row, problem=problem, typed=typed or {}, kinds=KINDS, damages=DAMAGE,
        reported=request.query_params.get("reported") == "1", status=problem.status if problem else 200,
        address=f"{back}/adverse-event",
    )  # fmt: skip


async def report(request: Request) -> Response:
    """To the quality department and the city."""
    form, visit_id = await read_form(request), path_id(request, "id")
    page = f"/doctor/visits/{visit_id}/adverse-event"
    body = {name: form.get(name, "") for name in FIELDS} | {"visit_number": visit_id}
    try:
        await doctor(request).post("/adverse-events", body, once=form.get("once", ""))
    except Refused as refused:
        if away := needs_shift(refused, page):
            return away
        if refused.status not in (409, 422, 503):
            raise
        return await ask(request, refused, form)
    return go(f"{page}?reported=1")


PATH = "/doctor/visits/{id:uuid}/adverse-event"
ROUTES: list[BaseRoute] = [Route(PATH, ask, methods=["GET"]), Route(PATH, report, methods=["POST"])]
