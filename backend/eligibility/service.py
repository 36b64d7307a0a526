"""Asking the hospital and deciding."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.eligibility import rules
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rules import RULES, Decision, Fact, Outcome, decide
from backend.patient import queries as patients
from backend.patient.model import Person
from backend.patient.service import remember_hospital_id
from contracts import events, his
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of, unit_of_work
from foundation.errors import NotFound
from foundation.ids import new_id

LOOK_BACK = timedelta(days=370)


async def hospital_patient(context: Context, person: Person) -> str | None:
    """The hospital's id of a person, asked once and remembered; None when the hospital does not know her."""
    if person.hospital_patient_id:
        return person.hospital_patient_id
    request = his.FindPatient(purpose="eligibility", id_number=person.id_number, name=person.name)
    found = (await context.hospital.call(request, his.FindPatientReply)).patient
    if found is None:
        return None
    async with unit_of_work(context.db) as session:
        await remember_hospital_id(session, person.id, found.patient_id)
    return found.patient_id


async def hospital_visits(context: Context, person: Person, today: date) -> Sequence[his.HospitalVisit]:
    """Visits of the last year through the gateway; empty when the hospital does not know the person."""
    patient_id = await hospital_patient(context, person)
    if patient_id is None:
        return []
    request = his.Visits(purpose="eligibility", patient_id=patient_id, since=today - LOOK_BACK)
    return (await context.hospital.call(request, his.VisitsReply)).visits


def facts_of(visits: Sequence[his.HospitalVisit]) -> list[Fact]:
    """The few facts a decision may keep."""
    return [
        Fact(
            visit.visit_id,
            visit.resource_hash,
            visit.day,
            diagnosis.code,
            diagnosis.certainty,
            visit.status,
            visit.source,
        )
        for visit in visits
        for diagnosis in visit.diagnoses
    ]


async def keep(
    session: AsyncSession,
    actor: Actor,
    person: Person,
    wanted: str,
    facts: Sequence[Fact],
    decision: Decision,
    *,
    day: date,
) -> EligibilityDecision:
    """Freeze the decision made for the booking day `day` with its evidence and tell the supervisor."""
    now = clock_of(session).now()
    found = decision.evidence
    account_id = actor.id if actor.kind == "account" else None
    row = EligibilityDecision(
        id=new_id(), person_id=person.id, account_id=account_id, diagnosis_code=wanted, outcome=decision.outcome.value,
        reason=decision.reason, level=decision.level, rule_version=RULES.version, booking_day=day,
        visit_id=found.visit_id[:80] if found else "", evidence_code=found.code[:20] if found else "",
        evidence_day=found.day if found else None, resource_hash=found.resource_hash[:64] if found else "",
        facts=msgspec.to_builtins(list(facts)), decided_at=now,
    )  # fmt: skip
    session.add(row)
    await publish(
        session,
        person.stream,
        events.EligibilityDecided(
            decision_id=row.id, person=patients.snapshot(person), diagnosis_code=wanted, outcome=row.outcome,
            reason=row.reason, rule_version=row.rule_version, evidence_visit_id=row.visit_id,
            evidence_code=row.evidence_code, evidence_date=row.evidence_day, decided_at=now,
        ),
    )  # fmt: skip
    audit(
        session, actor, "eligibility.decide", "person", person.id,
        outcome="refused" if decision.outcome is Outcome.REFUSED else "ok", code=decision.reason,
    )  # fmt: skip
    return row


async def require_usable(
    session: AsyncSession, person_id: UUID, decision_id: UUID, today: date
) -> EligibilityDecision:
    """A decision that lets this person book today; `Conflict` with the reason otherwise."""
    row = await session.get(EligibilityDecision, decision_id)
    if row is None or row.person_id != person_id:
        raise NotFound("没有找到复诊资格核对记录", code="eligibility_not_found")
    rules.require_usable(row.outcome, row.booking_day, today)
    return row


def explain(row: EligibilityDecision) -> Decision:
    """Make the decision again from its own evidence: the same rule version must give the same outcome."""
    facts = msgspec.convert(row.facts, list[Fact])
    return decide(row.diagnosis_code, facts, row.booking_day)
