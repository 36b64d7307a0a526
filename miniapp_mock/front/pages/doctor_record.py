"""Diagnoses and the record: written while talking, kept as a draft, signed when complete."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foundation.clock import local
from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, path_id, read_form
from miniapp_mock.front.journey import RUNNING
from miniapp_mock.front.pages.doctor_login import needs_shift
from miniapp_mock.front.pages.doctor_visit import load
from miniapp_mock.front.screen import doctor, go, screen_of, show

FIELDS = ("chief_complaint", "present_history", "past_history", "examination", "opinion", "advice")


async def diagnoses(request: Request, problem: Refused | None = None) -> Response:
    """What the visit is about. A prescription may name no other diagnoses."""
    _, row = await load(request)
    return await show(
        request, "doctor/diagnoses.html", back=f"/doctor/visits/{row['id']}", row=row, problem=problem,
        address=f"/doctor/visits/{row['id']}/diagnoses", editable=row["state"] in RUNNING,
        status=problem.status if problem else 200,
    )  # fmt: skip


async def find_diagnoses(request: Request) -> Response:
    """Codes that fit what is being typed."""
    words = request.query_params.get("q", "").strip()
    found = await doctor(request).get("/diagnosis-codes", q=words) if words else []
    return await show(request, "doctor/diagnoses_found.html", found=found, words=words)


async def change_diagnoses(request: Request) -> Response:
    """Add one or take one away; saved at once."""
    form = await read_form(request)
    api, row = await load(request)
    codes = [one["code"] for one in row["diagnoses"]]
    if form.get("add") and form["add"] not in codes:
        codes.append(form["add"])
    if form.get("remove") in codes:
        codes.remove(form["remove"])
    try:
        await api.put(f"/encounters/{row['id']}/diagnoses", {"codes": codes})
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return await diagnoses(request, refused)
    return go(f"/doctor/visits/{row['id']}/diagnoses")


async def record(request: Request, typed: Form | None = None, problem: Refused | None = None) -> Response:
    """The form with the draft, or what was signed."""
    api, row = await load(request)
    found = await api.find(f"/encounters/{row['id']}/record")
    signed = found is not None and found["signed_at"] is not None
    rewriting = signed and request.query_params.get("amend") == "1"
    editable = row["state"] in RUNNING and (not signed or rewriting or problem is not None)
    known = typed or {name: (found or {}).get(name, "") for name in FIELDS}
    if found is None and typed is None:
        known = {**known, "chief_complaint": row["complaint"]}
    templates = await api.get(f"/encounters/{row['id']}/record-templates") if editable else []
    chosen = request.query_params.get("template", "")
    if editable and typed is None:
        known = filled(known, next((one for one in templates if one["id"] == chosen), None))
    return await show(
        request, "doctor/record.html", back=f"/doctor/visits/{row['id']}", row=row, record=found, typed=known,
        templates=templates, editable=editable, amending=signed, problem=problem, status=problem.status if problem else 200,
        address=f"/doctor/visits/{row['id']}/record" + ("?amend=1" if signed and editable else ""),
    )  # fmt: skip


def filled(known: Form, template: Any) -> Form:
    """Fields that are still empty with the words of a template; nothing that was written is touched, no drug is in it."""
    if template is None:
        return known
    return {name: text if text.strip() else template.get(name, "") for name, text in known.items()}


async def keep_draft(request: Request) -> Response:
    """Saved while she types; says when."""
    form = await read_form(request)
    try:
        await _write(request, form)
    except Refused as refused:
        if refused.status == 401:
            raise
        return await show(request, "doctor/record_kept.html", at=None, why=refused.detail)
    return await show(request, "doctor/record_kept.html", at=local(screen_of(request).clock.now()), why="")


async def save_record(request: Request) -> Response:
    """Save, and sign when that button was pressed."""
    form = await read_form(request)
    page = f"/doctor/visits/{path_id(request, 'id')}"
    try:
        await _write(request, form)
        if form.get("then") == "sign":
            await doctor(request).post(f"/encounters/{path_id(request, 'id')}/record/sign")
            return go(page)
    except Refused as refused:
        if away := needs_shift(refused, f"{page}/record"):
            return away
        if refused.status not in (403, 409, 422, 503):
            raise
        return await record(request, form, refused)
    return go(f"{page}/record")


async def _write(request: Request, form: Form) -> Any:
    body = {name: form.get(name, "") for name in (*FIELDS, "amendment_reason")}
    return await doctor(request).put(f"/encounters/{path_id(request, 'id')}/record", body)


VISIT = "/doctor/visits/{id:uuid}"
ROUTES: list[BaseRoute] = [
    Route("/doctor/diagnosis-codes", find_diagnoses),
    Route(f"{VISIT}/diagnoses", diagnoses, methods=["GET"]),
    Route(f"{VISIT}/diagnoses", change_diagnoses, methods=["POST"]),
    Route(f"{VISIT}/record", record, methods=["GET"]),
    Route(f"{VISIT}/record", save_record, methods=["POST"]),
    Route(f"{VISIT}/record/draft", keep_draft, methods=["POST"]),
]
