"""What the review engine says of a draft of this visit: facts are gathered, the rules are asked, nothing is decided."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.eligibility.rules import RULES, category
from backend.encounter.model import FollowUp
from backend.formulary import queries as formulary
from backend.patient import queries as patients
from backend.patient.model import Person
from backend.patient.rules import age_on
from backend.patient.service import birth_date
from backend.practitioner import queries as practitioners
from backend.prescription.model import PrescriptionRow
from backend.prescription.outside_review import outside_opinion
from backend.prescription.rules import SKIN_TEST_DAYS, stated_issues
from backend.prescription.states import SIGNED
from backend.record.history import Known, known_of
from backend.review.draft import Circumstances, Draft, Finding, PatientFacts, SkinTest, Taking
from backend.review.engine import review, worst_first
from backend.review.form import LONG_TERM_DAYS
from foundation.clock import local
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Invalid


async def examine(
    context: Context, visit: FollowUp, draft: Draft, *, but: UUID | None = None
) -> list[Finding]:
    """All findings, those of an outside review server with them. The hospital is asked with no transaction open.

    `but` is the prescription that is looked at, so that it is not compared with itself. `Invalid` names the stated fact
    that cannot be.
    """
    async with unit_of_work(context.db) as session:
        person = await patients.person(session, visit.person_id)
    today = context.clock.today()
    known = await known_of(context, person)
    async with unit_of_work(context.db) as session:
        taking = await _still_taking(session, context.clock.now(), visit, known, draft, but)
        wanted = {item.drug_code for item in draft.items} | {one.drug_code for one in taking or ()}
        drugs = await formulary.by_codes(session, wanted)
        doctor = await practitioners.practitioner(session, visit.practitioner_id)
    if issues := stated_issues(draft.stated, person.sex, today, set(drugs)):
        raise Invalid(issues=issues)
    facts = patient_facts(person, visit, draft, known, taking, today)
    at = Circumstances(context.settings.review_retail_ban, doctor.title_code)
    found = review(draft, facts, drugs, at)
    return worst_first([*found, *await outside_opinion(context, visit, draft, facts, drugs)])


async def still_taking(
    context: Context, visit: FollowUp, known: Known | None, *, but: UUID | None = None
) -> list[Taking]:
    """What a new prescription is compared with, what lasts longest first; `known` is None without the hospital's word."""
    async with unit_of_work(context.db) as session:
        found = await _still_taking(session, context.clock.now(), visit, known, Draft([], []), but)
    return sorted(found or (), key=lambda one: -one.days_left)


def patient_facts(
    person: Person,
    visit: FollowUp,
    draft: Draft,
    known: Known | None,
    taking: list[Taking] | None,
    today: date,
) -> PatientFacts:
    """What is known of her from her person, this visit, the hospital, and what the doctor states."""
    stated, born = draft.stated, birth_date(person)
    confirmed = frozenset(diagnosis.code for diagnosis in visit.diagnoses)
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    recent = today - timedelta(days=SKIN_TEST_DAYS)
    return PatientFacts(
        age=age_on(born, today), sex=person.sex, allergy_groups=None if known is None else known.allergy_groups,
        confirmed_codes=confirmed, guardian_present=visit.guardian_present_at is not None,
        chronic=any(category(code) in RULES.chronic for code in confirmed), age_months=months,
        weight_kg=stated.weight_kg, pregnancy=stated.pregnancy, lactation=stated.lactation, egfr=stated.egfr,
        liver=stated.liver, allergy_names=frozenset() if known is None else known.allergy_names,
        history_codes=frozenset() if known is None else known.codes, taking=None if taking is None else tuple(taking),
        skin_tests=tuple(SkinTest(one.group, one.negative) for one in stated.skin_tests if one.tested_on >= recent),
    )  # fmt: skip


async def _still_taking(
    session: AsyncSession, now: datetime, visit: FollowUp, known: Known | None, draft: Draft, but: UUID | None
) -> list[Taking] | None:
    """From the hospital, from our own valid prescriptions, and as stated: the longest of each drug; None when the hospital
    gave no answer and nothing else is known."""
    today = local(now).date()
    found = [Taking(code, code, 1) for code in draft.stated.taking]
    for one in known.medications if known else ():
        left = (one.prescribed_on + timedelta(days=one.days) - today).days
        if left > 0:
            found.append(Taking(one.code, one.name, left))
    query = select(PrescriptionRow).where(
        PrescriptionRow.person_id == visit.person_id,
        PrescriptionRow.state.in_(SIGNED),
        PrescriptionRow.written_at > now - timedelta(days=LONG_TERM_DAYS + 7),
    )
    for row in await session.scalars(query):
        same = row.encounter_id == visit.id
        if row.id == but:
            continue
        since = local(row.signed_at or row.written_at).date()
        for item in row.content.items:
            left = (since + timedelta(days=item.days) - today).days
            if left > 0:
                found.append(Taking(item.drug_code, item.name, left, same))
    if known is None and not found:
        return None
    return _longest(found)


def _longest(found: Sequence[Taking]) -> list[Taking]:
    """Each drug once: another prescription of this visit counts first, then the one that lasts longest."""
    kept: dict[str, Taking] = {}
    for one in sorted(found, key=lambda taking: (taking.same_visit, taking.days_left)):
        kept[one.drug_code] = one
    return list(kept.values())
