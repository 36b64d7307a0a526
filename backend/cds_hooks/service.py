"""Answering a hook with our rules, and keeping feedback."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.cds_hooks import fhir
from backend.cds_hooks.cards import cards
from backend.cds_hooks.model import CdsFeedback
from backend.cds_hooks.wire import FeedbackRequest, HookAnswer, HookRequest
from backend.formulary import queries as formulary
from backend.review.draft import Circumstances, Finding
from backend.review.engine import review
from foundation.actor import NOBODY
from foundation.db.audit import audit
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import AppError, Invalid, Issue, NotFound


class Incomplete(AppError):
    """CDS Hooks' answer when the data for a judgement are not there."""

    status, code, title = 412, "prefetch_missing", "缺少审查所需的数据"


@dataclass(frozen=True)
class Service:
    """One service of discovery."""

    id: str
    hook: str
    title: str
    description: str


SERVICES = (
    Service(
        "prescription-review-select",
        "order-select",
        "前置审方（选药时）",
        "选药过程中按本院规则提示处方问题。",
    ),
    Service(
        "prescription-review-sign",
        "order-sign",
        "前置审方（签名前）",
        "签名前按本院规则审查整张处方，药师仍须审核。",
    ),
)
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}&clinical-status=active",
    "allergies": "AllergyIntolerance?patient={{context.patientId}}",
    "observations": f"Observation?patient={{{{context.patientId}}}}&code={','.join((*fhir.EGFR, fhir.WEIGHT, fhir.PREGNANCY, fhir.NURSING))}"
                    "&_sort=date",
    "medications": "MedicationRequest?patient={{context.patientId}}&status=active",
}  # fmt: skip


def discovery() -> dict[str, list[dict[str, object]]]:
    """What `GET /cds-services` answers."""
    return {
        "services": [
            {"id": one.id, "hook": one.hook, "title": one.title, "description": one.description, "prefetch": PREFETCH,
             "usageRequirements": "Drugs are coded in urn:internet-hospital:drug, diagnoses in ICD-10; fhirServer is not read."}
            for one in SERVICES
        ]
    }  # fmt: skip


def service(name: str) -> Service:
    """By id; `NotFound`."""
    found = next((one for one in SERVICES if one.id == name), None)
    if found is None:
        raise NotFound("没有这项服务")
    return found


async def answer(
    session: AsyncSession, asked: Service, request: HookRequest, issuer: str, at: Circumstances, today: date
) -> HookAnswer:
    """Cards for the drafts; nothing of the patient is kept. `Incomplete` names what is missing."""
    if request.hook != asked.hook:
        raise Invalid(issues=[Issue("hook", "wrong_hook", f"该服务只回答 {asked.hook}")])
    if not request.context.draft_orders.of("MedicationRequest"):
        raise Invalid(issues=[Issue("context.draftOrders", "empty", "没有处方草稿")])
    if names := fhir.missing(request.prefetch):
        issues = [Issue(f"prefetch.{name}", "missing", "缺少该项预取数据") for name in names]
        raise Incomplete(issues=issues)
    draft, facts = fhir.draft_of(request.context, request.prefetch), fhir.facts_of(request.prefetch, today)
    wanted = {item.drug_code for item in draft.items} | {one.drug_code for one in facts.taking or ()}
    found = review(draft, facts, await formulary.by_codes(session, wanted), at)
    if asked.hook == "order-select":
        found = _selected(found, request)
    audit(
        session, NOBODY, "cds.answer", "cds", request.hook_instance,
        detail={"issuer": issuer, "service": asked.id, "cards": str(len(found))},
    )  # fmt: skip
    return HookAnswer(cards(found, request.hook_instance))


def _selected(found: list[Finding], request: HookRequest) -> list[Finding]:
    """While drugs are chosen: what concerns a chosen one, and what concerns the whole."""
    orders = request.context.draft_orders.of("MedicationRequest")
    chosen = {one.rpartition("/")[2] for one in request.context.selections}
    lines = {place for place, order in enumerate(orders) if not chosen or order.id in chosen}
    return [one for one in found if one.item is None or one.item in lines]


async def keep(session: AsyncSession, asked: Service, issuer: str, told: FeedbackRequest) -> None:
    """Each card's feedback once."""
    await lock_stream(session, f"cds:{issuer}")
    cards_told = [one.card for one in told.feedback]
    query = select(CdsFeedback.card).where(CdsFeedback.issuer == issuer, CdsFeedback.card.in_(cards_told))
    known = set(await session.scalars(query))
    for one in told.feedback:
        if one.card in known:
            continue
        known.add(one.card)
        why = one.override_reason
        session.add(
            CdsFeedback(
                issuer=issuer, service=asked.id, card=one.card, outcome=one.outcome,
                reason_code=why.reason.code[:60] if why and why.reason else "", comment=why.user_comment if why else "",
                outcome_at=one.outcome_timestamp, at=clock_of(session).now(),
            )
        )  # fmt: skip
    audit(
        session,
        NOBODY,
        "cds.feedback",
        "cds",
        asked.id,
        detail={"issuer": issuer, "cards": str(len(cards_told))},
    )
