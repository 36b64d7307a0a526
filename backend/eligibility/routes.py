"""Eligibility for an online follow-up."""

from backend.diagnosis.codes import search
from backend.edge import ADMIN, CLERK, DUTY_DESK, PATIENT, QUALITY, ApiCall, ApiEndpoint, Family
from backend.eligibility import asking, service
from backend.eligibility.explaining import explain
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rulebook import book_on
from backend.eligibility.wire import (
    AskEligibility,
    DecisionView,
    Disease,
    DiseaseQuery,
    ExplanationView,
    KnownDiagnosis,
)
from backend.patient import queries as patients
from backend.patient.service import verified_person
from backend.rates import admit
from foundation.web.endpoint import get, send


async def diagnoses(call: ApiCall) -> list[KnownDiagnosis]:
    """What the hospital diagnosed in the last year, newest first, each with today's outcome; a proxy sees what she was granted."""
    await admit(call, "diagnoses", call.id())
    async with call.unit_of_work() as session:
        person = await verified_person(session, call.actor, call.id())
        await patients.require_scope(session, call.actor, person.id, "book")
        private = await patients.has_scope(session, call.actor, person.id, "private")
        records = await patients.has_scope(session, call.actor, person.id, "records")
    return await asking.known_diagnoses(call.app, person, private=private, records=records)


async def ask(call: ApiCall, body: AskEligibility) -> DecisionView:
    """Decide from the hospital's records; an unreachable hospital never means yes."""
    await admit(call, "eligibility", body.person_id)
    async with call.unit_of_work() as session:
        person = await verified_person(session, call.actor, body.person_id)
        await asking.require_may_ask(session, call.actor, person.id, body.diagnosis_code, call.clock.today())
    return await asking.ask(call.app, call.actor, person, body.diagnosis_code)


async def diseases(call: ApiCall) -> list[Disease]:
    """The code list, for whom the hospital's list does not help; what is never seen online is not in it."""
    book = book_on(call.clock.today())
    found = search(call.query.q) if call.query.q.strip() else []
    return [Disease(one.code, one.name) for one in found if not book.red_flag(one.code)]


def explanation_view(row: EligibilityDecision) -> ExplanationView:
    """Made again now."""
    found = explain(row)
    return ExplanationView(
        id=row.id, outcome=row.outcome, reason=row.reason, rule_version=row.rule_version, rule_sha256=row.rule_sha256,
        booking_day=row.booking_day, decided_at=row.decided_at, same=found.same, steps=list(found.steps),
        remarks=list(found.remarks),
    )  # fmt: skip


async def explanation(call: ApiCall) -> ExplanationView:
    """How a decision came about, for staff."""
    return explanation_view(await service.decision_of(call.session, call.id()))


STAFF = (CLERK, DUTY_DESK, QUALITY, ADMIN)
FAMILY = Family.PERSONAL_VISIT
ENDPOINTS: list[ApiEndpoint] = [
    get("/persons/{id}/diagnoses", diagnoses, reply=list[KnownDiagnosis], summary="本院诊断",
        family=FAMILY, roles=[PATIENT], transaction=False),
    send("POST", "/eligibility", ask, body=AskEligibility, reply=DecisionView, summary="复诊资格核对",
         family=FAMILY, roles=[PATIENT], status=201, transaction=False, audited="eligibility.decide"),
    get("/diseases", diseases, reply=list[Disease], query=DiseaseQuery, summary="查找疾病名称", family=FAMILY,
        roles=[PATIENT]),
    get("/eligibility/{id}/explanation", explanation, reply=ExplanationView, summary="复诊资格判定的依据", family=FAMILY,
        roles=STAFF, audited="eligibility.explain"),
]  # fmt: skip
