"""Complaints."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import select

from backend.complaint import service
from backend.complaint.model import Complaint
from backend.complaint.states import COMPLAINT
from backend.edge import CLERK, PATIENT, QUALITY, ApiCall, ApiEndpoint, Family
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send

Words = Annotated[str, Meta(min_length=5, max_length=1000)]


class FileRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What went wrong, for whom, about which visit."""

    person_id: UUID
    text: Words
    encounter_id: UUID | None = None


class AnswerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer."""

    text: Words


class ComplaintView(msgspec.Struct, frozen=True):
    """A complaint."""

    id: UUID
    state: str
    state_label: str
    text: str
    answer: str
    filed_at: datetime
    answer_by: datetime
    answered_at: datetime | None


def _view(row: Complaint) -> ComplaintView:
    return ComplaintView(
        row.id, row.state, COMPLAINT.labels[row.state], row.words, row.answer, row.filed_at, row.answer_by,
        row.answered_at,
    )  # fmt: skip


async def _find(call: ApiCall) -> Complaint:
    row = await call.session.get(Complaint, call.id())
    if row is None or (call.actor.kind == "account" and row.account_id != call.actor.id):
        raise NotFound("没有找到该投诉")
    return row


async def file(call: ApiCall, body: FileRequest) -> ComplaintView:
    """File a complaint."""
    row = await service.file(
        call.session, call.actor, person_id=body.person_id, encounter_id=body.encounter_id, words=body.text
    )
    await call.session.flush()
    return _view(row)


async def list_all(call: ApiCall) -> list[ComplaintView]:
    """The account's own complaints; for staff, all of them, the nearest deadline first."""
    query = select(Complaint).order_by(Complaint.answer_by).limit(200)
    if call.actor.kind == "account":
        query = query.where(Complaint.account_id == call.actor.id)
    return [_view(row) for row in await call.session.scalars(query)]


async def answer(call: ApiCall, body: AnswerRequest) -> ComplaintView:
    """Answer a complaint."""
    row = await _find(call)
    await service.answer(call.session, call.actor, row, body.text)
    return _view(row)


async def escalate(call: ApiCall) -> ComplaintView:
    """Not satisfied: to the quality department."""
    row = await _find(call)
    await service.escalate(call.session, call.actor, row)
    return _view(row)


async def close(call: ApiCall) -> ComplaintView:
    """Settled."""
    row = await _find(call)
    await service.close(call.session, call.actor, row)
    return _view(row)


FAMILY = Family.PATIENT_MANAGEMENT
BOTH = (PATIENT, CLERK, QUALITY)
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/complaints", file, body=FileRequest, reply=ComplaintView, summary="投诉", family=FAMILY,
         roles=[PATIENT], status=201),
    get("/complaints", list_all, reply=list[ComplaintView], summary="投诉列表", family=FAMILY, roles=BOTH),
    send("POST", "/complaints/{id}/answer", answer, body=AnswerRequest, reply=ComplaintView, summary="答复投诉",
         family=FAMILY, roles=[CLERK, QUALITY]),
    act("POST", "/complaints/{id}/escalate", escalate, reply=ComplaintView, summary="升级处理", family=FAMILY,
        roles=BOTH),
    act("POST", "/complaints/{id}/close", close, reply=ComplaintView, summary="结案", family=FAMILY, roles=BOTH),
]  # fmt: skip
