"""A visit from the booking to the end: waiting, the way into the conversation, what came of it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Api, Refused
from miniapp_mock.front.forms import path_id, read_form
from miniapp_mock.front.journey import (
    RUNNING,
    Stage,
    can_check_in,
    cancel_words,
    is_open,
    opens_at,
    stage_of,
    with_stage,
)
from miniapp_mock.front.screen import afresh, go, is_fragment, leave, patient, screen_of, show
from miniapp_mock.front.streams import pass_events, pass_file
from miniapp_mock.front.words import fen

NEWEST = 12
"""Visits of the list that are asked how they stand."""
NOTICES = "TPL_VISIT_ACCEPTED,TPL_RX_APPROVED,TPL_SHIPPED"
NOTICES_BOOKED = "TPL_MOVED,TPL_RX_APPROVED,TPL_SHIPPED"
"""Before the visit; that it was accepted, and that it was cancelled, was asked at the cashier."""
CANCELLABLE = ("booked", "waiting")
"""Stages in which the patient is told beforehand what a cancellation gives back."""
BEFORE_SEEN = ("booked", "waiting")
"""Stages that the waiting room knows about."""
WAITS = ("in-review", "checking", "approved")
"""Prescriptions that the patient does not have her drugs of yet."""


async def list_all(request: Request) -> Response:
    """All visits of everybody this account may act for: what is open first."""
    api = patient(request)
    rows = await api.get("/appointments")
    visits = list(await asyncio.gather(*(with_stage(api, row) for row in rows[:NEWEST])))
    visits += [(row, stage_of(row)) for row in rows[NEWEST:]]
    current = [one for one in visits if is_open(one[0]) or one[1].name == "talking"]
    past = [one for one in visits if one not in current]
    return await show(request, "patient/visits.html", back="/", current=current[::-1], past=past)


async def load(request: Request) -> tuple[Api, dict[str, Any], dict[str, Any] | None, Stage]:
    """The appointment of the path with its encounter and stage."""
    api = patient(request)
    row = await api.get(f"/appointments/{path_id(request, 'visit_id')}")
    encounter = await api.get(f"/encounters/{row['encounter_id']}") if row["encounter_id"] else None
    return api, row, encounter, stage_of(row, encounter)


async def outcome(api: Api, row: Any, encounter: Any, stage: Stage) -> dict[str, Any]:
    """What came of the visit, as far as it got: money, record, prescriptions, rating."""

    async def nothing() -> None:
        return None

    accepted = encounter is not None and row["state"] == "fulfilled"
    path = f"/encounters/{row['encounter_id']}"
    bill, record, prescriptions, rating = await asyncio.gather(
        api.find(f"/payments/{row['payment_id']}") if row["payment_id"] else nothing(),
        api.find(f"{path}/record") if accepted else nothing(),
        api.get(f"{path}/prescriptions") if accepted else nothing(),
        api.find(f"{path}/evaluation") if stage.name == "ended" and accepted else nothing(),
    )
    return {"bill": bill, "record": record, "prescriptions": prescriptions or [], "rating": rating}


async def visit(request: Request, problem: Refused | None = None) -> Response:
    """The page of a visit; while it runs, that is the conversation."""
    api, row, encounter, stage = await load(request)
    if stage.name == "talking" and request.query_params.get("view") != "detail" and problem is None:
        return go(f"/visits/{row['id']}/chat")
    return await _show(request, "patient/visit.html", api, row, encounter, stage, problem)


async def status(request: Request) -> Response:
    """The moving part of the page; somebody who waits is taken along when the doctor accepts."""
    api, row, encounter, stage = await load(request)
    before = request.query_params.get("from", "")
    if stage.name == "talking" and before == "waiting":
        return leave(request, f"/visits/{row['id']}/chat")
    if stage.name != before:
        return afresh()
    return await _show(request, "patient/visit_status.html", api, row, encounter, stage, None)


async def _show(
    request: Request, template: str, api: Api, row: Any, encounter: Any, stage: Stage, problem: Refused | None
) -> Response:
    now = screen_of(request).clock.now()
    known = await outcome(api, row, encounter, stage)
    done = stage.done
    if stage.name == "ended" and not any(one["state"] in WAITS for one in known["prescriptions"]):
        done = 5
    back = await api.get(f"/appointments/{row['id']}/cancellation") if stage.name in CANCELLABLE else None
    room = await api.get(f"/appointments/{row['id']}/waiting") if stage.name in BEFORE_SEEN else None
    return await show(
        request, template, back="/visits", row=row, encounter=encounter, stage=stage, done=done, problem=problem,
        gives_back=back_words(back) if back else "",
        room=room, can_check_in=can_check_in(room, now), opens=opens_at(room), why=cancel_words(row),
        notices=NOTICES_BOOKED if stage.name == "booked" else NOTICES, asked=request.query_params.get("notices"), status=problem.status if problem else 200,
        **known,
    )  # fmt: skip


def back_words(back: Mapping[str, Any]) -> str:
    """What a patient gets back when she cancels now, before she is asked whether she means it."""
    if back["amount"] == back["paid"]:
        return "诊查费将全额原路退回。"
    if not back["amount"]:
        return "按退费规则，诊查费不退。"
    return f"临近就诊取消，按退费规则退还 {back['percent']}%，即 {fen(back['amount'])}，原路退回。"


async def check_in(request: Request) -> Response:
    """Ready to be seen."""
    return await _verb(request, "check-in")


async def cancel(request: Request) -> Response:
    """Give the place back."""
    return await _verb(request, "cancel")


async def answer_move(request: Request) -> Response:
    """The hospital moved the visit: take the new time, or the money."""
    form = await read_form(request)
    return await _do(request, "move/accept" if form.get("answer") == "accept" else "move/refuse")


async def _verb(request: Request, verb: str) -> Response:
    await read_form(request)
    return await _do(request, verb)


async def _do(request: Request, verb: str) -> Response:
    visit_id = path_id(request, "visit_id")
    try:
        await patient(request).post(f"/appointments/{visit_id}/{verb}")
    except Refused as refused:
        if refused.status != 409 or is_fragment(request):
            raise
        return await visit(request, refused)
    return go(f"/visits/{visit_id}")


async def events(request: Request) -> Response:
    """What changes in this visit."""
    return await pass_events(patient(request), f"/appointments/{path_id(request, 'visit_id')}/events")


async def chat(request: Request) -> Response:
    """The conversation; after the end it can be read again."""
    _, row, encounter, stage = await load(request)
    if encounter is None or row["state"] != "fulfilled":
        return go(f"/visits/{row['id']}")
    running = encounter["state"] in RUNNING
    back = f"/visits/{row['id']}?view=detail" if running else f"/visits/{row['id']}"
    return await show(
        request, "patient/chat.html", back=back, row=row, encounter=encounter, stage=stage, running=running
    )


async def composer(request: Request) -> Response:
    """Nothing while the visit runs (what is being typed must not be touched), the way on when it has ended."""
    _, row, encounter, stage = await load(request)
    was = request.query_params.get("state", "")
    if encounter is None or (encounter["state"] in RUNNING and encounter["state"] == was):
        return Response(status_code=204)
    if encounter["state"] in RUNNING:
        return await show(
            request, "patient/chat_state_change.html", row=row, encounter=encounter, stage=stage
        )
    return await show(request, "patient/chat_ended_change.html", row=row, encounter=encounter, stage=stage)


async def video(request: Request) -> Response:
    """The call. Recording is asked for first; without it there is none."""
    api, row, encounter, stage = await load(request)
    if encounter is None or encounter["state"] not in RUNNING:
        return go(f"/visits/{row['id']}")
    consent = await api.get(f"/encounters/{row['encounter_id']}/recording-consent")
    template = "patient/video.html" if consent["decision"] == "given" else "patient/video_consent.html"
    return await show(
        request, template, back=f"/visits/{row['id']}/chat", row=row, encounter=encounter, stage=stage, consent=consent,
    )  # fmt: skip


async def consent_to_recording(request: Request) -> Response:
    """Agreed: into the call. Refused or taken back: into the conversation."""
    api, row, _, _ = await load(request)
    said = await read_form(request)
    decision = {"decision": said.get("decision", ""), "version": said.get("version", "")}
    await api.put(f"/encounters/{row['encounter_id']}/recording-consent", decision)
    return go(f"/visits/{row['id']}/{'video' if decision['decision'] == 'given' else 'chat'}")


async def record(request: Request) -> Response:
    """The record as the doctor signed it."""
    api, row, encounter, _ = await load(request)
    found = await api.find(f"/encounters/{row['encounter_id']}/record") if encounter else None
    return await show(
        request,
        "patient/record.html",
        back=f"/visits/{row['id']}",
        row=row,
        encounter=encounter,
        record=found,
    )


async def record_sheet(request: Request) -> Response:
    """The signed record as PDF."""
    api, row, _, _ = await load(request)
    return await pass_file(api, f"/encounters/{row['encounter_id']}/record/sheet")


async def record_evidence(request: Request) -> Response:
    """Its proof as a file, for the verifier."""
    api, row, _, _ = await load(request)
    return await pass_file(api, f"/encounters/{row['encounter_id']}/record/evidence", save_as="record.json")


VISIT = "/visits/{visit_id:uuid}"
ROUTES: list[BaseRoute] = [
    Route("/visits", list_all),
    Route(VISIT, visit, methods=["GET"]),
    Route(f"{VISIT}/status", status),
    Route(f"{VISIT}/check-in", check_in, methods=["POST"]),
    Route(f"{VISIT}/cancel", cancel, methods=["POST"]),
    Route(f"{VISIT}/move", answer_move, methods=["POST"]),
    Route(f"{VISIT}/events", events),
    Route(f"{VISIT}/chat", chat),
    Route(f"{VISIT}/composer", composer),
    Route(f"{VISIT}/video", video, methods=["GET"]),
    Route(f"{VISIT}/recording-consent", consent_to_recording, methods=["POST"]),
    Route(f"{VISIT}/record", record),
    Route(f"{VISIT}/record/sheet", record_sheet),
    Route(f"{VISIT}/record/evidence", record_evidence),
]
