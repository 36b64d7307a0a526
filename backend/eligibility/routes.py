"""Eligibility for an online follow-up."""

from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.eligibility import asking
from backend.eligibility.wire import AskEligibility, DecisionView, KnownDiagnosis
from backend.patient.service import verified_person
from backend.rates import admit
from foundation.web.endpoint import get, send


async def diagnoses(call: ApiCall) -> list[KnownDiagnosis]:
    """What the hospital diagnosed in the last year, newest first, each with today's outcome."""
    await admit(call, "diagnoses", call.id())
    async with call.unit_of_work() as session:
        person = await verified_person(session, call.actor, call.id())
    return await asking.known_diagnoses(call.app, person)


async def ask(call: ApiCall, body: AskEligibility) -> DecisionView:
    """Decide from the hospital's records; an unreachable hospital never means yes."""
    await admit(call, "eligibility", body.person_id)
    async with call.unit_of_work() as session:
        person = await verified_person(session, call.actor, body.person_id)
    return await asking.ask(call.app, call.actor, person, body.diagnosis_code)


ENDPOINTS: list[ApiEndpoint] = [
    get("/persons/{id}/diagnoses", diagnoses, reply=list[KnownDiagnosis], summary="本院诊断",
        family=Family.PERSONAL_VISIT, roles=[PATIENT], transaction=False),
    send("POST", "/eligibility", ask, body=AskEligibility, reply=DecisionView, summary="复诊资格核对",
         family=Family.PERSONAL_VISIT, roles=[PATIENT], status=201, transaction=False,
         audited="eligibility.decide"),
]  # fmt: skip
