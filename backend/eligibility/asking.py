"""Asking the hospital about a person, for her own screen and for the counter: what it diagnosed, and whether she may be seen again."""

from backend.context import Context
from backend.eligibility import service
from backend.eligibility.rules import decide
from backend.eligibility.wire import DecisionView, KnownDiagnosis
from backend.patient.model import Person
from foundation.actor import Actor
from foundation.db.unit_of_work import unit_of_work


async def known_diagnoses(context: Context, person: Person) -> list[KnownDiagnosis]:
    """What the hospital diagnosed in the last year, newest first, each with today's outcome."""
    today = context.clock.today()
    visits = await service.hospital_visits(context, person, today)
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


async def ask(context: Context, actor: Actor, person: Person, code: str) -> DecisionView:
    """Decide from the hospital's records and keep the decision; an unreachable hospital never means yes."""
    today = context.clock.today()
    facts = service.facts_of(await service.hospital_visits(context, person, today))
    decision = decide(code, facts, today)
    async with unit_of_work(context.db) as session:
        row = await service.keep(session, actor, person, code, facts, decision, day=today)
    return DecisionView(
        id=row.id, outcome=row.outcome, reason=row.reason, words=decision.words, rule_version=row.rule_version,
        evidence_day=row.evidence_day, last_possible_day=decision.last_possible_day, decided_at=row.decided_at,
    )  # fmt: skip
