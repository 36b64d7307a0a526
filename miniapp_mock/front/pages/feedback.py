"""What the patient thinks of it: the rating of a visit, complaints and their answers."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, path_id, read_form
from miniapp_mock.front.screen import go, patient, show

SATISFACTION = ((5, "很满意"), (4, "满意"), (3, "一般"), (2, "不满意"), (1, "很不满意"))


async def evaluation(request: Request, typed: Form | None = None, problem: Refused | None = None) -> Response:
    """The form, or what was said."""
    api, visit_id = patient(request), path_id(request, "visit_id")
    row = await api.get(f"/appointments/{visit_id}")
    if row["encounter_id"] is None:
        return go(f"/visits/{visit_id}")
    found = await api.find(f"/encounters/{row['encounter_id']}/evaluation")
    return await show(
        request, "patient/evaluation.html", back=f"/visits/{visit_id}", row=row, found=found,
        satisfaction=SATISFACTION, typed=typed or {}, problem=problem, status=problem.status if problem else 200,
    )  # fmt: skip


async def evaluate(request: Request) -> Response:
    """Once per visit."""
    api, form, visit_id = patient(request), await read_form(request), path_id(request, "visit_id")
    row = await api.get(f"/appointments/{visit_id}")
    body = {
        "satisfaction": _number(form.get("satisfaction", "")),
        "score": _number(form.get("score", "")),
        "text": form.get("text", ""),
    }
    try:
        await api.post(f"/encounters/{row['encounter_id']}/evaluation", body, once=form.get("once", ""))
    except Refused as refused:
        if refused.status == 401:
            raise
        return await evaluation(request, form, refused)
    return go(f"/visits/{visit_id}/evaluation")


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


async def complaints(request: Request) -> Response:
    """All complaints of this account with their answers, the newest first."""
    rows = await patient(request).get("/complaints")
    rows.sort(key=lambda row: str(row["filed_at"]), reverse=True)
    return await show(request, "patient/complaints.html", back="/mine", rows=rows)


async def complaint(request: Request, typed: Form | None = None, problem: Refused | None = None) -> Response:
    """The form; with `visit`, about that visit."""
    api = patient(request)
    persons = await api.get("/persons")
    wanted = request.query_params.get("visit", "")
    row = next((one for one in await api.get("/appointments") if one["id"] == wanted), None)
    back = f"/visits/{row['id']}" if row else "/complaints"
    return await show(
        request, "patient/complaint_new.html", back=back, persons=persons, row=row, typed=typed or {},
        problem=problem, status=problem.status if problem else 200,
    )  # fmt: skip


async def file_complaint(request: Request) -> Response:
    """Filed; nobody can delete it."""
    form = await read_form(request)
    body = {"person_id": form.get("person_id", ""), "text": form.get("text", "")}
    if form.get("encounter_id"):
        body["encounter_id"] = form["encounter_id"]
    try:
        await patient(request).post("/complaints", body, once=form.get("once", ""))
    except Refused as refused:
        if refused.status == 401:
            raise
        return await complaint(request, form, refused)
    return go("/complaints?filed=1")


async def escalate(request: Request) -> Response:
    """Not satisfied with the answer: to the quality department."""
    await patient(request).post(f"/complaints/{path_id(request, 'complaint_id')}/escalate")
    return go("/complaints")


async def close(request: Request) -> Response:
    """Settled."""
    await patient(request).post(f"/complaints/{path_id(request, 'complaint_id')}/close")
    return go("/complaints")


COMPLAINT = "/complaints/{complaint_id:uuid}"
ROUTES: list[BaseRoute] = [
    Route("/visits/{visit_id:uuid}/evaluation", evaluation, methods=["GET"]),
    Route("/visits/{visit_id:uuid}/evaluation", evaluate, methods=["POST"]),
    Route("/complaints", complaints, methods=["GET"]),
    Route("/complaints/new", complaint, methods=["GET"]),
    Route("/complaints/new", file_complaint, methods=["POST"]),
    Route(f"{COMPLAINT}/escalate", escalate, methods=["POST"]),
    Route(f"{COMPLAINT}/close", close, methods=["POST"]),
]
