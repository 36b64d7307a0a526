"""Supervisors' questions, for the staff who answer them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import select

from backend.edge import ADMIN, QUALITY, ApiCall, ApiEndpoint, Family
from backend.inquiry import service
from backend.inquiry.model import Inquiry
from backend.inquiry.states import INQUIRY
from foundation.errors import NotFound
from foundation.web.endpoint import get, send

ROLES = (QUALITY, ADMIN)


class InquiryAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hospital's answer; it goes to the supervisor as it is and is not changed afterwards."""

    text: Annotated[str, Meta(min_length=5, max_length=1000)]


class InquiryView(msgspec.Struct, frozen=True):
    """A question and its answer."""

    id: UUID
    state: str
    state_label: str
    supervisor: str
    authority: str
    encounter_id: UUID | None
    title: str
    words: str
    answer: str
    asked_at: datetime
    answer_by: datetime
    answered_at: datetime | None
    answered_by: str


def view(row: Inquiry) -> InquiryView:
    """As staff see it."""
    return InquiryView(
        row.id, row.state, INQUIRY.labels[row.state], row.supervisor, row.authority, row.encounter_id, row.title, row.words,
        row.answer, row.asked_at, row.answer_by, row.answered_at, row.answered_name,
    )  # fmt: skip


async def list_all(call: ApiCall) -> list[InquiryView]:
    """What waits first, the nearest deadline at the top; then what was answered."""
    query = select(Inquiry).order_by(Inquiry.answered_at.is_not(None), Inquiry.answer_by).limit(200)
    return [view(row) for row in await call.session.scalars(query)]


async def answer(call: ApiCall, body: InquiryAnswer) -> InquiryView:
    """Answer a question."""
    row = await call.session.get(Inquiry, call.id())
    if row is None:
        raise NotFound("没有找到该询问")
    await service.answer(call.session, call.actor, row, body.text)
    return view(row)


FAMILY = Family.THIRD_PARTY
ENDPOINTS: list[ApiEndpoint] = [
    get("/inquiries", list_all, reply=list[InquiryView], summary="监管询问列表", family=FAMILY, roles=ROLES),
    send("POST", "/inquiries/{id}/answer", answer, body=InquiryAnswer, reply=InquiryView, summary="答复监管询问",
         family=FAMILY, roles=ROLES),
]  # fmt: skip
