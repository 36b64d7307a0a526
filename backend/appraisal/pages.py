"""The comment at the desk: months, what was drawn, one prescription; and the figures of reviews."""

from datetime import date, timedelta

import msgspec

from backend.appraisal import queries, routes, rules
from backend.appraisal.model import AppraisalRound
from backend.appraisal.service import DESK
from backend.appraisal.states import APPRAISAL
from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import PHARMACIST, QUALITY
from backend.policy import policy
from backend.prescription import queries as prescriptions
from backend.prescription.rules import POINTS
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound
from foundation.web.parsing import decode_query, iso_day

CATEGORIES = {"legality": "合法性", "form": "规范性", "appropriateness": "适宜性"}


class Period(msgspec.Struct, frozen=True):
    """First and last day; `said` belongs to the frame."""

    first: str = ""
    last: str = ""
    said: str = ""


async def months(call: DeskCall) -> Shown:
    """Drawn months and what is still to be commented."""
    found = await queries.rounds(call.session)
    reports = {row.id: await queries.report(call.session, row.id) for row in found[:12]}
    last_month = rules.month_before(clock_of(call.session).today())
    words = {
        "rounds": found,
        "reports": reports,
        "last_month": last_month,
        "quality": call.actor.has(QUALITY),
    }
    return Shown("appraisal/months.html", words)


async def month(call: DeskCall) -> Shown:
    """One month: by prescriber, and every prescription drawn."""
    row = await call.session.get(AppraisalRound, call.id())
    if row is None:
        raise NotFound("没有找到该月的抽样")
    drawn = await queries.of_round(call.session, row.id)
    sheets = {one.id: await prescriptions.prescription(call.session, one.prescription_id) for one in drawn}
    words = {
        "round": row, "report": await queries.report(call.session, row.id), "drawn": drawn, "sheets": sheets,
        "labels": APPRAISAL.labels, "items": rules.ITEMS, "verdict": rules.verdict, "me": call.actor.id,
    }  # fmt: skip
    return Shown("appraisal/month.html", words)


async def sheet(call: DeskCall) -> Shown:
    """One prescription with the form of the comment. The patient's name is not needed for it."""
    row = await queries.appraisal(call.session, call.id())
    one = await prescriptions.prescription(call.session, row.prescription_id)
    words = {
        "row": row, "one": one, "content": one.content, "items": rules.ITEMS, "grades": rules.GRADES, "labels": APPRAISAL.labels,
        "verdict": rules.verdict, "own": call.actor.id in (one.pharmacist_id, one.confirmed_by),
        "pharmacist": call.actor.has(PHARMACIST), "quality": call.actor.has(QUALITY),
    }  # fmt: skip
    return Shown("appraisal/sheet.html", words)


async def figures(call: DeskCall) -> Shown:
    """What reviews were like; the last thirty days unless another period is asked for."""
    wanted, today = decode_query(call.request.query_params, Period), clock_of(call.session).today()
    first = iso_day(wanted.first) if wanted.first else today - timedelta(days=29)
    last = iso_day(wanted.last) if wanted.last else today
    last = min(max(first, last), first + timedelta(days=366), date.max)
    late = policy().review_wait_minutes * 60
    found = await queries.figures(call.session, first, last, late)
    words = {
        "found": found, "first": first, "last": last, "categories": CATEGORIES, "points": POINTS, "percent": rules.percent,
        "late_minutes": policy().review_wait_minutes,
    }  # fmt: skip
    return Shown("appraisal/figures.html", words)


WHO = [PHARMACIST, QUALITY]
MONTHS = page("/desk/appraisals", months, title="处方点评", roles=WHO, menu="处方点评", live=[DESK])
MONTH = page("/desk/appraisals/{id}", month, title="处方点评", roles=WHO, audited="appraisal.report")
SHEET = page(
    "/desk/appraisals/prescriptions/{id}", sheet, title="点评处方", roles=WHO, audited="appraisal.view"
)
FIGURES = page("/desk/review-figures", figures, title="审方统计", roles=WHO, menu="审方统计")
PAGES = [MONTHS, SHEET, MONTH, FIGURES]
ACTIONS = [
    action("/desk/appraisals/draw", routes.ENDPOINTS, routes.draw, back=MONTHS, then="/desk/appraisals", said="已抽样。"),
    action(
        "/desk/appraisals/prescriptions/{id}/opinion", routes.ENDPOINTS, routes.judge, back=SHEET,
        then="/desk/appraisals/prescriptions/{id}", said="已登记点评。",
    ),
    action(
        "/desk/appraisals/prescriptions/{id}/reopen", routes.ENDPOINTS, routes.reopen, back=SHEET,
        then="/desk/appraisals/prescriptions/{id}", said="已退回重新点评。",
    ),
]  # fmt: skip
