"""Asking the hospital, keeping what was decided, and whether it lets somebody book."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.eligibility import rules
from backend.eligibility.explaining import explain
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rulebook import RuleSet
from backend.eligibility.rules import RULES, Decision, Fact, Outcome, PaperFact
from backend.patient import queries as patients
from backend.patient.model import Person
from backend.patient.service import remember_hospital_id
from contracts import events, his
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of, unit_of_work
from foundation.errors import Conflict, NotFound
from foundation.ids import new_id

__all__ = ["explain"]

LOOK_BACK = timedelta(days=370)
MOST_NUMBERS = 8
"""Merged registrations of one person that are asked about."""


async def hospital_patient(context: Context, person: Person) -> str | None:
    """The hospital's id of a person, asked once and remembered; None when the hospital does not know her."""
    if person.hospital_patient_id:
        return person.hospital_patient_id
    return next(iter(await _ask_numbers(context, person)), None)


async def hospital_numbers(context: Context, person: Person) -> list[str]:
    """All numbers the hospital has her under, the present one first: asked once a day, for registrations are merged. Empty: unknown."""
    if person.hospital_patient_id and person.hospital_asked_on == context.clock.today():
        return [person.hospital_patient_id, *person.hospital_merged_ids][:MOST_NUMBERS]
    return await _ask_numbers(context, person)


async def _ask_numbers(context: Context, person: Person) -> list[str]:
    request = his.FindPatient(purpose="eligibility", id_number=person.id_number, name=person.name)
    found = (await context.hospital.call(request, his.FindPatientReply)).patient
    if found is None:
        return []
    merged = [one[:80] for one in dict.fromkeys(found.merged_ids) if one != found.patient_id][
        : MOST_NUMBERS - 1
    ]
    async with unit_of_work(context.db) as session:
        await remember_hospital_id(session, person.id, found.patient_id, merged)
    return [found.patient_id, *merged]


async def hospital_visits(context: Context, person: Person, today: date) -> Sequence[his.HospitalVisit]:
    """Visits of the last year under all her numbers, newest first; none when the hospital does not know her.

    One number without an answer is no answer at all: `Unavailable`.
    """
    numbers = await hospital_numbers(context, person)
    # gather and not a group: what one of them says of the hospital goes up as it is
    asked = await asyncio.gather(*(_visits(context, number, today - LOOK_BACK) for number in numbers))
    found = {(one.resource_hash, one.visit_id): one for visits in asked for one in visits}
    return sorted(found.values(), key=lambda one: (one.day, one.visit_id), reverse=True)


async def _visits(context: Context, patient_id: str, since: date) -> Sequence[his.HospitalVisit]:
    request = his.Visits(purpose="eligibility", patient_id=patient_id, since=since)
    try:
        return (await context.hospital.call(request, his.VisitsReply)).visits
    except NotFound:  # merged away, or gone: nobody outside learns the difference
        return []


async def keep(
    session: AsyncSession, actor: Actor, person: Person, wanted: str, facts: Sequence[Fact], decision: Decision, *,
    day: date, book: RuleSet = RULES, acute: bool = False, papers: Sequence[PaperFact] = (),
) -> EligibilityDecision:  # fmt: skip
    """Freeze the decision made for the booking day `day` with its evidence and tell the supervisor."""
    now = clock_of(session).now()
    found = decision.evidence
    account_id = actor.id if actor.kind == "account" else None
    row = EligibilityDecision(
        id=new_id(), person_id=person.id, account_id=account_id, diagnosis_code=wanted, acute=acute,
        outcome=decision.outcome.value, reason=decision.reason, level=str(decision.level), rule_version=book.version,
        rule_sha256=book.sha256, booking_day=day, visit_id=found.visit_id[:80] if found else "",
        evidence_code=found.code[:20] if found else "", evidence_day=found.day if found else None,
        resource_hash=found.resource_hash[:64] if found else "",
        facts=msgspec.to_builtins(rules.relevant(wanted, facts, book)), considered=len(facts),
        papers=msgspec.to_builtins(list(papers)), only_department=decision.only_department, decided_at=now,
    )  # fmt: skip
    session.add(row)
    await publish(
        session,
        person.stream,
        events.EligibilityDecided(
            decision_id=row.id, person=patients.snapshot(person), diagnosis_code=wanted, outcome=row.outcome,
            reason=row.reason, rule_version=row.rule_version, evidence_visit_id=row.visit_id,
            evidence_code=row.evidence_code, evidence_date=row.evidence_day, decided_at=now,
            level=row.level, rule_sha256=row.rule_sha256, evidence_hash=row.resource_hash,
        ),
    )  # fmt: skip
    audit(
        session, actor, "eligibility.decide", "person", person.id,
        outcome="refused" if decision.outcome is Outcome.REFUSED else "ok", code=decision.reason,
    )  # fmt: skip
    return row


async def decision_of(session: AsyncSession, decision_id: UUID) -> EligibilityDecision:
    """By id, for callers that have checked who asks."""
    row = await session.get(EligibilityDecision, decision_id)
    if row is None:
        raise NotFound("没有找到复诊资格核对记录", code="eligibility_not_found")
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


async def require_standing(session: AsyncSession, decision_id: UUID) -> None:
    """Before a prescription is signed: the evidence still carries the decision, as of the day it was booked on.

    That the window has closed since does not matter: the booking day decides (practice.md 5). `Conflict` when evidence and
    decision do not fit one another.
    """
    row = await decision_of(session, decision_id)
    if row.outcome == Outcome.REFUSED or not explain(row).same:
        raise Conflict("复诊资格核对记录有误，不能开具处方，请联系医务部", code="eligibility_broken")
