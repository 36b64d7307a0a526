"""One visit in the doctor's hands: who it is, accept or decline, the hospital's records, talking, stopping, ending."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Api, Refused
from miniapp_mock.front.forms import Form, path_id, read_form
from miniapp_mock.front.journey import RUNNING
from miniapp_mock.front.pages.doctor_list import is_waiting, waiting
from miniapp_mock.front.pages.doctor_login import needs_shift
from miniapp_mock.front.screen import doctor, go, screen_of, show
from miniapp_mock.front.streams import pass_file

STAGES = {
    "in-progress": ("问诊中", "good"), "on-hold": ("暂停", "warn"), "completed": ("已完成", ""),
    "cancelled": ("已取消", ""), "discontinued": ("已转线下", "warn"),
}  # fmt: skip


def stage(row: Any) -> tuple[str, str]:
    """Label and tone."""
    if row["state"] == "planned":
        return ("等候接诊", "warn") if is_waiting(row) else ("已预约", "info")
    return STAGES.get(row["state"], (row["state_label"], ""))


async def load(request: Request) -> tuple[Api, dict[str, Any]]:
    """The visit of the path; somebody else's is simply not there."""
    api = doctor(request)
    return api, await api.get(f"/encounters/{path_id(request, 'id')}")


async def visit(
    request: Request, problem: Refused | None = None, typed: Form | None = None, opened: str = ""
) -> Response:
    """The page; `opened` is the form that was refused."""
    known = await _known(request, to_stop=True)
    return await show(
        request, "doctor/visit.html", back="/doctor", problem=problem, basis=await _basis(request, known["row"]), typed=typed or {}, opened=opened,
        address=f"/doctor/visits/{path_id(request, 'id')}", status=problem.status if problem else 200,
        **known,
    )  # fmt: skip


async def _basis(request: Request, row: dict[str, Any]) -> Any:
    """How the decision came about that the visit rests on, while she has not answered; None for a consultation."""
    if row["kind"] != "follow_up" or row["state"] != "planned":
        return None
    return await doctor(request).find(f"/encounters/{row['id']}/basis")


async def paper(request: Request) -> Response:
    """A picture of a paper that the patient uploaded; each look is written down."""
    size = "?size=small" if request.query_params.get("size") == "small" else ""
    path = f"/encounters/{path_id(request, 'id')}/papers/{path_id(request, 'paper_id')}{size}"
    return await pass_file(doctor(request), path)


async def status(request: Request) -> Response:
    """What moves by itself: the patient who gives up, the pharmacist's verdict."""
    return await show(request, "doctor/visit_state.html", opened="", **await _known(request))


async def _known(request: Request, *, to_stop: bool = False) -> dict[str, Any]:
    api, row = await load(request)
    running = row["state"] in RUNNING
    advice = await api.get(f"/encounters/{row['id']}/advice") if to_stop and running else None
    record: Any = None
    news: Any = None
    prescriptions: list[Any] = []
    if row["state"] != "planned" and row["kind"] == "follow_up":
        path = f"/encounters/{row['id']}"
        record, prescriptions = await asyncio.gather(
            api.find(f"{path}/record"), api.get(f"{path}/prescriptions")
        )
    if row["kind"] == "follow_up" and (running or row["state"] == "planned"):
        news = (await api.get(f"/encounters/{row['id']}/hospital-news"))["newest"]
    clock = waiting(row, screen_of(request).clock.now())
    return {
        "row": row, "stage": stage(row), "clock": clock, "waits": is_waiting(row), "running": running, "advice": advice,
        "record": record, "prescriptions": prescriptions, "news": news,
    }  # fmt: skip


async def history(request: Request) -> Response:
    """The hospital's records. Each look is reported to the supervisor, so nobody looks by accident."""
    api, row = await load(request)
    try:
        found = await api.get(f"/encounters/{row['id']}/history")
    except Refused as refused:
        if refused.status not in (403, 404, 503):
            raise
        return await show(request, "doctor/history_refused.html", row=row, refused=refused)
    return await show(request, "doctor/history.html", row=row, found=found)


async def accept(request: Request) -> Response:
    """Take the visit: into the conversation."""
    form = await read_form(request)
    body = {
        "follow_up_confirmed": form.get("follow_up_confirmed") == "1",
        "guardian_present": form.get("guardian_present") == "1",
        "basis": form.get("basis", ""),
    }
    return await _verb(request, "accept", body, form, then="/chat")


async def decline(request: Request) -> Response:
    """Not for here: everything is refunded."""
    form = await read_form(request)
    body = {"reason": form.get("reason", ""), "not_a_follow_up": form.get("not_a_follow_up") == "1"}
    return await _verb(request, "decline", body, form)


async def refer(request: Request) -> Response:
    """Stop and send to the hospital."""
    form = await read_form(request)
    body = {
        "reason": form.get("reason", ""),
        "advice_given": {"1": True, "0": False}.get(form.get("advice_given", "")),
    }
    return await _verb(request, "refer-offline", body, form)


async def hold(request: Request) -> Response:
    """Pause."""
    return await _verb(request, "hold", None, await read_form(request))


async def resume(request: Request) -> Response:
    """Go on."""
    return await _verb(request, "resume", None, await read_form(request))


async def extend(request: Request) -> Response:
    """More time to talk."""
    return await _verb(request, "extend", None, await read_form(request))


async def answer(request: Request) -> Response:
    """The end of a consultation: what was advised, in short."""
    form = await read_form(request)
    return await _verb(request, "answer", {"answer": form.get("answer", "")}, form)


async def examinations(
    request: Request, problem: Refused | None = None, typed: Form | None = None
) -> Response:
    """The form for examinations at the hospital that the doctor advises."""
    _, row = await load(request)
    if row["state"] not in RUNNING:
        return go(f"/doctor/visits/{row['id']}")
    return await show(
        request, "doctor/examinations.html", back=f"/doctor/visits/{row['id']}/chat", row=row, problem=problem,
        typed=typed or {}, status=problem.status if problem else 200,
        address=f"/doctor/visits/{row['id']}/examinations",
    )  # fmt: skip


async def advise_examinations(request: Request) -> Response:
    """A card in the conversation."""
    form, visit_id = await read_form(request), path_id(request, "id")
    items = [line.strip() for line in form.get("items", "").splitlines() if line.strip()]
    body = {"client_id": form.get("once", ""), "items": items, "note": form.get("note", "")}
    try:
        await doctor(request).post(f"/encounters/{visit_id}/examinations", body)
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return await examinations(request, refused, form)
    return go(f"/doctor/visits/{visit_id}/chat")


async def finish(request: Request) -> Response:
    """End; the record must be signed."""
    return await _verb(request, "finish", None, await read_form(request))


async def _verb(
    request: Request, verb: str, body: dict[str, Any] | None, form: Form, then: str = ""
) -> Response:
    page = f"/doctor/visits/{path_id(request, 'id')}"
    try:
        await doctor(request).post(
            f"/encounters/{path_id(request, 'id')}/{verb}", body, once=form.get("once", "")
        )
    except Refused as refused:
        if away := needs_shift(refused, page):
            return away
        if refused.status not in (403, 409, 422, 503):
            raise
        return await visit(request, refused, form, opened=verb)
    return go(page + then)


async def chat(request: Request) -> Response:
    """The conversation; it can be read again afterwards."""
    _, row = await load(request)
    if row["state"] in ("planned", "cancelled"):
        return go(f"/doctor/visits/{row['id']}")
    return await show(
        request, "doctor/chat.html", back=f"/doctor/visits/{row['id']}", row=row, stage=stage(row),
        running=row["state"] in RUNNING,
    )  # fmt: skip


async def video(request: Request) -> Response:
    """The call; recorded, when the patient agreed."""
    _, row = await load(request)
    if row["state"] not in RUNNING:
        return go(f"/doctor/visits/{row['id']}")
    return await show(request, "doctor/video.html", back=f"/doctor/visits/{row['id']}/chat", row=row)


VISIT = "/doctor/visits/{id:uuid}"
ROUTES: list[BaseRoute] = [
    Route(VISIT, visit, methods=["GET"]),
    Route(f"{VISIT}/status", status),
    Route(f"{VISIT}/history", history),
    Route(f"{VISIT}/papers/{{paper_id:uuid}}", paper),
    Route(f"{VISIT}/accept", accept, methods=["POST"]),
    Route(f"{VISIT}/decline", decline, methods=["POST"]),
    Route(f"{VISIT}/refer", refer, methods=["POST"]),
    Route(f"{VISIT}/hold", hold, methods=["POST"]),
    Route(f"{VISIT}/resume", resume, methods=["POST"]),
    Route(f"{VISIT}/extend", extend, methods=["POST"]),
    Route(f"{VISIT}/examinations", examinations, methods=["GET"]),
    Route(f"{VISIT}/examinations", advise_examinations, methods=["POST"]),
    Route(f"{VISIT}/answer", answer, methods=["POST"]),
    Route(f"{VISIT}/finish", finish, methods=["POST"]),
    Route(f"{VISIT}/chat", chat),
    Route(f"{VISIT}/video", video),
]
