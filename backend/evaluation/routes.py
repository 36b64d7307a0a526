"""Rating a visit."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter import queries
from backend.evaluation import service
from backend.evaluation.model import Evaluation
from foundation.errors import NotFound
from foundation.web.endpoint import get, send


class EvaluateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Satisfaction 1–5, score 0–10, words."""

    satisfaction: Annotated[int, Meta(ge=1, le=5)]
    score: Annotated[int, Meta(ge=0, le=10)]
    text: Annotated[str, Meta(max_length=300)] = ""


class EvaluationView(msgspec.Struct, frozen=True):
    """A rating."""

    satisfaction: int
    score: int
    text: str
    at: datetime


def _view(row: Evaluation) -> EvaluationView:
    return EvaluationView(row.satisfaction, row.score, row.words, row.at)


async def evaluate(call: ApiCall, body: EvaluateRequest) -> EvaluationView:
    """Rate a finished visit."""
    visit = await queries.visible(call.session, call.actor, call.id())
    row = await service.evaluate(
        call.session, call.actor, visit, satisfaction=body.satisfaction, score=body.score, words=body.text
    )
    return _view(row)


async def show(call: ApiCall) -> EvaluationView:
    """The rating of a visit."""
    visit = await queries.visible(call.session, call.actor, call.id())
    row = await service.of_visit(call.session, visit)
    if row is None:
        raise NotFound("尚未评价", code="not_evaluated")
    return _view(row)


ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/encounters/{id}/evaluation", evaluate, body=EvaluateRequest, reply=EvaluationView,
         summary="评价", family=Family.PATIENT_MANAGEMENT, roles=[PATIENT], status=201),
    get("/encounters/{id}/evaluation", show, reply=EvaluationView, summary="评价详情",
        family=Family.PATIENT_MANAGEMENT, roles=[PATIENT]),
]  # fmt: skip
