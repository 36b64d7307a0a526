"""The pharmacist's review desk: what waits, and one prescription as a sheet with what the engine found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import PHARMACIST
from backend.escalation import service as escalation
from backend.escalation.rules import Kind
from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.prescription import queries, routes
from backend.prescription.model import PrescriptionRow, Review
from backend.prescription.rules import POINTS, stated_words
from backend.prescription.service import SUBJECT
from backend.prescription.signing import digest_of
from backend.prescription.states import PRESCRIPTION, WAITING, PrescriptionState
from backend.review.draft import Category, Finding, Severity, Stated
from backend.shift.on_call import planned
from backend.shift.service import pharmacists_on_duty
from backend.signature import service as signatures
from backend.signature.model import Signature
from foundation.db.unit_of_work import clock_of


def long_wait() -> timedelta:
    """From here on a waiting prescription is marked: the patient sits before the phone (practice.md 12)."""
    return timedelta(minutes=policy().review_wait_minutes)


CATEGORIES = {Category.LEGALITY: "合法性", Category.FORM: "规范性", Category.APPROPRIATENESS: "适宜性"}
SEVERITIES = {Severity.BLOCK: "禁止", Severity.REASON: "须有理由", Severity.INFO: "提示"}


@dataclass(frozen=True)
class Signed:
    """How the doctor's signature stands: `row` is None without one, `holds` whether it fits this very content."""

    row: Signature | None
    holds: bool


@dataclass(frozen=True)
class Verdict:
    """One line of the history of reviews."""

    review: Review
    pharmacist: str


async def queue(call: DeskCall) -> Shown:
    """What waits, longest first, and what this pharmacist decided last."""
    waiting = [row for row, _ in await queries.review_queue(call.session)]
    mine = (
        select(PrescriptionRow)
        .where(PrescriptionRow.pharmacist_id == call.actor.id)
        .order_by(PrescriptionRow.reviewed_at.desc())
        .limit(10)
    )
    done = (await call.session.scalars(mine)).all()
    words = {
        "waiting": waiting, "done": done, "long_wait": long_wait(), "labels": PRESCRIPTION.labels, "checking": PrescriptionState.CHECKING,
        "on_duty": await pharmacists_on_duty(call.session), "me": call.actor.id,
        "on_call": [who.display_name for row, who in await planned(call.session) if row.starts_at <= clock_of(call.session).now()],
    }  # fmt: skip
    return Shown("prescription/queue.html", {**words, "worst": worst, "severities": SEVERITIES})


async def sheet(call: DeskCall) -> Shown:
    """One prescription, for a verdict."""
    row = await queries.visible(call.session, call.actor, call.id())
    if row.state in WAITING:
        await escalation.see(call.session, call.actor, Kind.REVIEW, row.id)
    others = [one for one in await queries.of_encounter(call.session, row.encounter_id) if one.id != row.id]
    stated = stated_words(row.content.stated or Stated(), await queries.taken_elsewhere(call.session, row))
    words = {
        "stated": stated, "row": row, "content": row.content, "groups": grouped(row.findings), "doctor": await _signed(call.session, row),
        "history": await _history(call.session, row), "others": [one for one in others if one.state != "draft"],
        "open": row.state in WAITING, "checking": row.state is PrescriptionState.CHECKING, "points": POINTS,
        "mine": row.state is PrescriptionState.CHECKING and row.pharmacist_id == call.actor.id, "labels": PRESCRIPTION.labels, "categories": CATEGORIES,
        "severities": SEVERITIES, "long_wait": long_wait(), "own": row.prescriber_id == call.actor.id,
    }  # fmt: skip
    return Shown("prescription/review.html", words)


def worst(findings: Sequence[Finding]) -> Severity | None:
    """The gravest kind among the findings."""
    return min((one.severity for one in findings), key=list(Severity).index, default=None)


def grouped(findings: Sequence[Finding]) -> list[tuple[Category, list[Finding]]]:
    """Findings by part of the review, the gravest first; parts without any are there, empty."""
    order = list(Severity)
    return [
        (part, sorted((f for f in findings if f.category is part), key=lambda f: order.index(f.severity)))
        for part in Category
    ]


async def _signed(session: AsyncSession, row: PrescriptionRow) -> Signed:
    """The check that approving makes, shown before anybody presses the button."""
    found = await signatures.standing(session, SUBJECT, row.id, "prescriber")
    return Signed(found, signatures.holds(found, row.content) and digest_of(row.content) == row.digest)


async def _history(session: AsyncSession, row: PrescriptionRow) -> list[Verdict]:
    query = (
        select(Review, Practitioner.name)
        .join(Practitioner, Practitioner.id == Review.pharmacist_id)
        .where(Review.prescription_id == row.id)
        .order_by(Review.at.desc())
    )
    return [Verdict(review, name) for review, name in (await session.execute(query)).all()]


QUEUE = page(
    "/desk/reviews",
    queue,
    title="处方审核",
    roles=[PHARMACIST],
    menu="处方审核",
    live=["reviews", "pharmacy"],
)
SHEET = page("/desk/reviews/{id}", sheet, title="审核处方", roles=[PHARMACIST], audited="prescription.view")
PAGES = [QUEUE, SHEET]
ACTIONS = [
    action(
        "/desk/reviews/{id}/approve", routes.ENDPOINTS, routes.approve, back=SHEET, then="/desk/reviews",
        said="已签名通过。须复核的等待另一位药师，其余已通知患者支付。",
    ),
    action(
        "/desk/reviews/{id}/return", routes.ENDPOINTS, routes.return_to_doctor, back=SHEET, then="/desk/reviews",
        said="已退回医生，已通知医生修改。",
    ),
]  # fmt: skip
