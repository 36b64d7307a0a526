"""Eligibility for an online follow-up."""

from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.eligibility import service
from backend.eligibility.rules import decide
from backend.eligibility.wire import AskEligibility, DecisionView, KnownDiagnosis
from backend.patient.service import verified_person
from backend.rates import admit
from foundation.web.endpoint import get, send


async def diagnoses(call: ApiCall) -> list[KnownDiagnosis]:
    """What the hospital diagnosed in the last year, newest first, each with today's outcome."""
    await admit(call, "diagnoses", call.id())
    async with call.unit_of_work() as session:
        person = await verified_person(session, call.actor, call.id())
    today = call.clock.today()
    visits = await service.hospital_visits(call.app, person, today)
    facts = service.facts_of(visits)
    found: dict[str, KnownDiagnosis] = {}
    for visit in visits:
        for diagnosis in visit.diagnoses:
            if diagnosis.code and diagnosis.code not in found and diagnosis.certainty == "confirmed":
                decision = decide(diagnosis.code, facts, today)
                found[diagnosis.code] = KnownDiagnosis(
                    diagnosis.code,
                    diagnosis.name,
                    visit.day,
                    visit.department_name,
                    decision.outcome,
                    decision.words,
                )
    return list(found.values())


async def ask(call: ApiCall, body: AskEligibility) -> DecisionView:
    """Decide from the hospital's records; an unreachable hospital never means yes."""
    await admit(call, "eligibility", body.person_id)
    async with call.unit_of_work() as session:
        person = await verified_person(session, call.actor, body.person_id)
    today = call.clock.today()
    facts = service.facts_of(await service.hospital_visits(call.app, person, today))
    decision = decide(body.diagnosis_code, facts, today)
    async with call.unit_of_work() as session:
        row = await service.keep(session, call.actor, person, body.diagnosis_code, facts, decision, day=today)
    return DecisionView(
        id=row.id, outcome=row.outcome, reason=row.reason, words=decision.words, rule_version=row.rule_version,
        evidence_day=row.evidence_day, last_possible_day=decision.last_possible_day, decided_at=row.decided_at,
    )  # fmt: skip


ENDPOINTS: list[ApiEndpoint] = [
    get("/persons/{id}/diagnoses", diagnoses, reply=list[KnownDiagnosis], summary="本院诊断",
        family=Family.PERSONAL_VISIT, roles=[PATIENT], transaction=False),
    send("POST", "/eligibility", ask, body=AskEligibility, reply=DecisionView, summary="复诊资格核对",
         family=Family.PERSONAL_VISIT, roles=[PATIENT], status=201, transaction=False,
         audited="eligibility.decide"),
]  # fmt: skip
