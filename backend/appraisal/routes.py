"""Comments through the API."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.appraisal import queries, rules, service
from backend.appraisal.model import Appraisal, AppraisalRound
from backend.edge import PHARMACIST, QUALITY, ApiCall, ApiEndpoint, Family
from foundation.errors import NotFound
from foundation.web.endpoint import get, send
from foundation.web.parsing import iso_day


class DrawRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A month that is over: `2026-10`."""

    month: Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$(?!\n)")]


class Opinion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items of the comment (`rules.ITEMS`) separated by blanks, none for a rational prescription; what is wrong and why."""

    items: Annotated[str, Meta(max_length=200)] = ""
    note: Annotated[str, Meta(max_length=500)] = ""


class Reopen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is looked at again."""

    reason: Annotated[str, Meta(min_length=2, max_length=100)]


class RoundView(msgspec.Struct, frozen=True):
    """A month's drawing; with the seed anybody can draw again."""

    id: UUID
    month: str
    seed: str
    each: int
    population: int
    drawn_at: datetime


class AppraisalView(msgspec.Struct, frozen=True):
    """One drawn prescription."""

    id: UUID
    prescription_id: UUID
    state: str
    items: list[str]
    verdict: str
    note: str
    judged_at: datetime | None


class ReportLine(msgspec.Struct, frozen=True):
    """One prescriber: drawn, judged, rational, share, what was wrong how often."""

    name: str
    drawn: int
    judged: int
    rational: int
    rate: str
    items: dict[str, int]


class RoundReport(msgspec.Struct, frozen=True):
    """A round with what was drawn and said."""

    round: RoundView
    drawn: list[AppraisalView]
    prescribers: list[ReportLine]


def round_view(row: AppraisalRound) -> RoundView:
    """From the row."""
    return RoundView(row.id, f"{row.month:%Y-%m}", row.seed, row.each, row.population, row.drawn_at)


def appraisal_view(row: Appraisal) -> AppraisalView:
    """From the row."""
    said = rules.verdict(row.items) if row.judged_at else ""
    return AppraisalView(
        row.id, row.prescription_id, row.state, row.items, said, row.note or "", row.judged_at
    )


def month_of(text: str) -> date:
    """`2026-10` as its first day."""
    return iso_day(f"{text}-01")


async def rounds(call: ApiCall) -> list[RoundView]:
    """Months that were drawn."""
    return [round_view(row) for row in await queries.rounds(call.session)]


async def draw(call: ApiCall, body: DrawRequest) -> RoundView:
    """Draw a month."""
    return round_view(await service.draw(call.session, call.actor, month_of(body.month)))


async def report(call: ApiCall) -> RoundReport:
    """One round with its report."""
    row = await call.session.get(AppraisalRound, call.id())
    if row is None:
        raise NotFound("没有找到该月的抽样")
    drawn = [appraisal_view(one) for one in await queries.of_round(call.session, row.id)]
    lines = [
        ReportLine(one.name, one.drawn, one.judged, one.rational, one.rate, dict(one.items))
        for one in await queries.report(call.session, row.id)
    ]
    return RoundReport(round_view(row), drawn, lines)


async def judge(call: ApiCall, body: Opinion) -> AppraisalView:
    """A pharmacist's comment."""
    row = await service.judge(call.session, call.actor, call.id(), body.items.split(), body.note)
    return appraisal_view(row)


async def reopen(call: ApiCall, body: Reopen) -> AppraisalView:
    """Have it looked at again."""
    return appraisal_view(await service.reopen(call.session, call.actor, call.id(), body.reason))


FAMILY = Family.ONLINE_TREATMENT
WHO = (PHARMACIST, QUALITY)
ENDPOINTS: list[ApiEndpoint] = [
    get("/appraisals", rounds, reply=list[RoundView], summary="处方点评抽样", family=FAMILY, roles=WHO),
    send("POST", "/appraisals", draw, body=DrawRequest, reply=RoundView, summary="抽取处方", family=FAMILY, roles=[QUALITY],
         status=201, audited="appraisal.draw"),
    get("/appraisals/{id}", report, reply=RoundReport, summary="处方点评报告", family=FAMILY, roles=WHO,
        audited="appraisal.report"),
    send("POST", "/appraisals/{id}/opinion", judge, body=Opinion, reply=AppraisalView, summary="点评处方", family=FAMILY,
         roles=[PHARMACIST], audited="appraisal.judge"),
    send("POST", "/appraisals/{id}/reopen", reopen, body=Reopen, reply=AppraisalView, summary="重新点评", family=FAMILY,
         roles=[QUALITY], audited="appraisal.reopen"),
]  # fmt: skip
