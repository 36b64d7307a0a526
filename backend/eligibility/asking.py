"""Asking the hospital about a person, for her own screen and for the counter: what it diagnosed, and whether she may be seen again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from functools import cache
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.diagnosis.codes import diagnosis_name, table
from backend.eligibility import service
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.names import normal
from backend.eligibility.reading import facts_of, is_acute
from backend.eligibility.rulebook import RuleSet, book_on
from backend.eligibility.rules import Decision, Fact, Outcome, PaperFact, decide
from backend.eligibility.wire import DecisionView, KnownDiagnosis
from backend.patient import queries as patients
from backend.patient.model import Person
from backend.practitioner import queries as practitioners
from foundation.actor import Actor
from foundation.db.unit_of_work import unit_of_work

BY_WORDS = "医院的记录里只有文字诊断，请选择对应的疾病，由医生判断"


@cache
def names() -> Mapping[str, str]:
    """Normal name → code, of our code list; a name that several codes have stands for none."""
    found: dict[str, str] = {}
    for code, name in table().items():
        key = normal(name)
        found[key] = "" if key in found else code
    return {name: code for name, code in found.items() if code}


async def known_diagnoses(
    context: Context, person: Person, *, private: bool = True, records: bool = True
) -> list[KnownDiagnosis]:
    """What the hospital diagnosed in the last year, newest first, each with today's outcome.

    Without `private` what needs a grant of its own is left out, without `records` what cannot be booked.
    """
    today = context.clock.today()
    book = book_on(today)
    visits = await service.hospital_visits(context, person, today)
    facts = facts_of(visits, book, names())
    found: dict[str, KnownDiagnosis] = {}
    for visit in visits:
        for one in visit.diagnoses:
            for fact in facts_of([msgspec.structs.replace(visit, diagnoses=[one])], book, names()):
                key = fact.code or one.name
                if fact.certainty == "confirmed" and key not in found:
                    found[key] = _known(fact, one.name, visit.department_name, facts, book, today)
    return [
        one for one in found.values()
        if (private or not book.is_sensitive(one.code)) and (records or one.outcome != Outcome.REFUSED)
    ]  # fmt: skip


def _known(
    fact: Fact, name: str, department: str, facts: Sequence[Fact], book: RuleSet, today: date
) -> KnownDiagnosis:
    """One line of the list. What is in words that nobody could read is asked for by a code that she chooses."""
    if not fact.code:
        return KnownDiagnosis("", name, fact.day, department, Outcome.DOCTOR_DECIDES, BY_WORDS)
    decision = decide(fact.code, facts, today, book, acute=is_acute(diagnosis_name(fact.code), book))
    return KnownDiagnosis(
        fact.code, name, fact.day, department, decision.outcome, decision.words, decision.last_possible_day,
        decision.papers_may_help,
    )  # fmt: skip


async def ask(
    context: Context, actor: Actor, person: Person, code: str, papers: Sequence[PaperFact] = (),
    also: Callable[[AsyncSession, EligibilityDecision], Awaitable[None]] | None = None,
) -> DecisionView:  # fmt: skip
    """Decide from the hospital's records and keep the decision; an unreachable hospital never means yes.

    `also` is done in the transaction that keeps it.
    """
    today = context.clock.today()
    book = book_on(today)
    visits = await service.hospital_visits(context, person, today)
    acute = is_acute(diagnosis_name(code), book)
    async with unit_of_work(context.db) as session:
        departments = {one.name: one.code for one in await practitioners.departments(session)}
        facts = facts_of(visits, book, names(), departments)
        decision = decide(code, facts, today, book, acute=acute, papers=papers)
        row = await service.keep(
            session, actor, person, code, facts, decision, day=today, book=book, acute=acute, papers=papers
        )
        await session.flush()
        if also is not None:
            await also(session, row)
        return decision_view(row, decision)


def decision_view(row: EligibilityDecision, decision: Decision) -> DecisionView:
    """What she is told."""
    return DecisionView(
        id=row.id, outcome=row.outcome, reason=row.reason, words=decision.words, rule_version=row.rule_version,
        evidence_day=row.evidence_day, last_possible_day=decision.last_possible_day, decided_at=row.decided_at,
        level=row.level, papers_may_help=decision.papers_may_help, only_department=row.only_department,
    )  # fmt: skip


async def require_may_ask(session: AsyncSession, actor: Actor, person_id: UUID, code: str, day: date) -> None:
    """A proxy asks with the grant to book, and for what is private only with a grant of its own. `NotFound`, `Forbidden`."""
    await patients.require_scope(session, actor, person_id, "book")
    if book_on(day).is_sensitive(code):
        await patients.require_scope(session, actor, person_id, "private")
