"""What the doctor states about the patient: who is asked what, how it reads, when it was stated, and where it is seen."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.encounter.model import FollowUp
from backend.formulary.queries import tested_groups
from backend.prescription import queries
from backend.prescription import service as prescribing
from backend.prescription.model import PrescriptionRow
from backend.prescription.rules import asked, stated_issues, stated_words
from backend.prescription.signing import digest_of
from backend.prescription.wire import prescribing_form, prescription_view
from backend.review.draft import ONCE, ROUTES, TIMES_PER_DAY, Answer, Draft, Liver, Stated, StatedTest
from backend.review.suitability import CHILDBEARING
from contracts.events import Diagnosis
from tests.builders.visits import AMLODIPINE, HYPERTENSION, a_patient, accepted
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR

pytestmark = pytest.mark.anyio
TODAY = date(2026, 11, 20)
EVERYTHING = Stated(
    Answer.YES, Answer.NO, 45, Liver.B, "61.5", ["YP001", "gone"], [StatedTest("penicillin", True, TODAY)]
)
HERS = {"pregnancy", "lactation"}


@given(st.sampled_from(["male", "female", "unknown"]), st.integers(0, 110))
def test_pregnancy_is_asked_of_whom_the_engine_waits_for_and_never_of_men(sex: str, age: int) -> None:
    fields = asked(sex, age)

    assert (
        {"egfr", "liver", "weight_kg", "taking", "skin_tests"} <= set(fields) <= set(Stated.__struct_fields__)
    )
    if sex == "male" or age < CHILDBEARING.start:
        assert not HERS & set(fields)
    elif age in CHILDBEARING:
        assert set(fields) >= HERS


@given(st.sampled_from(["male", "female"]), st.integers(0, 110))
def test_what_is_asked_can_be_answered(sex: str, age: int) -> None:
    hers = asked(sex, age)
    pregnancy, lactation = (
        Answer.YES if name in hers else Answer.UNKNOWN for name in ("pregnancy", "lactation")
    )
    yes = Stated(pregnancy, lactation)

    assert stated_issues(yes, sex, TODAY, set()) == []


def test_everything_stated_is_said_and_nothing_else() -> None:
    said = stated_words(EVERYTHING, {"YP001": "苯磺酸氨氯地平片"})

    assert said == [
        "妊娠：是", "哺乳：否", "肾小球滤过率（eGFR）：45 mL/min/1.73㎡", "肝功能：Child-Pugh B 级", "体重：61.5 kg",
        "正在服用：苯磺酸氨氯地平片、gone", "青霉素类皮试：阴性（2026-11-20）",
    ]  # fmt: skip
    assert stated_words(Stated(), {}) == []


def test_every_frequency_and_route_the_engine_knows_is_offered_exactly() -> None:
    form = prescribing_form("male", 40, [], None, {})

    assert {
        one.code: (Fraction(one.times, one.per_days), one.name) for one in form.frequencies
    } == TIMES_PER_DAY
    assert {one.code for one in form.frequencies if one.once} == {ONCE}
    assert {one.code: one.name for one in form.routes} == ROUTES


async def stating(
    session: AsyncSession, context: Context, stated: Stated, row: PrescriptionRow | None = None
) -> PrescriptionRow:
    if row is None:
        visit = await accepted(session, context, await a_patient(session))
    else:
        visit = await session.get_one(FollowUp, row.encounter_id)
    draft = Draft([AMLODIPINE], [Diagnosis(HYPERTENSION, "高血压")], stated=stated)
    return await prescribing.write(
        session, DOCTOR.actor, visit, row, draft, valid_days=1, allergies="", findings=[]
    )


async def test_facts_keep_their_time_until_they_are_changed(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    row = await stating(session, context, EVERYTHING)
    first = row.content.stated_at
    moves_on(clock, hours=1)

    row = await stating(session, context, EVERYTHING, row)
    kept = row.content.stated_at
    row = await stating(session, context, msgspec.structs.replace(EVERYTHING, egfr=40), row)
    moved = row.content.stated_at
    row = await stating(session, context, Stated(), row)

    assert first is not None
    assert kept == first
    assert moved is not None
    assert moved - first >= timedelta(hours=1)
    assert (row.content.stated, row.content.stated_at) == (None, None)


async def test_the_time_is_signed_in_bytes_that_survive_the_database(
    session: AsyncSession, context: Context
) -> None:
    row = await stating(session, context, EVERYTHING)
    await session.flush()

    again = await session.get_one(PrescriptionRow, row.id, populate_existing=True)

    assert digest_of(again.content) == again.digest
    other = msgspec.structs.replace(again.content, stated_at=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")))
    assert digest_of(other) != again.digest


async def test_doctor_and_pharmacist_read_what_was_stated_and_by_whom(
    session: AsyncSession, context: Context
) -> None:
    row = await stating(session, context, EVERYTHING)

    view = prescription_view(row, None, await queries.taken_elsewhere(session, row))

    assert "正在服用：苯磺酸氨氯地平片、gone" in view.stated_words
    assert view.stated == EVERYTHING
    assert (view.prescriber, view.stated_at) == (row.content.prescriber, row.content.stated_at)
    assert [(one.code, one.name) for one in view.taking] == [("YP001", "苯磺酸氨氯地平片"), ("gone", "gone")]


async def test_another_prescription_of_the_visit_offers_what_was_stated(
    session: AsyncSession, context: Context
) -> None:
    row = await stating(session, context, EVERYTHING)

    form = prescribing_form("male", 40, await tested_groups(session), row, {})
    empty = prescribing_form("female", 30, [], None, {})

    assert form.before is not None
    assert form.before.stated == EVERYTHING
    assert "pregnancy" not in form.asks
    assert "pregnancy" in empty.asks
    assert empty.before is None
    assert [one.code for one in form.livers] == list(Liver)
    assert [(one.code, one.name) for one in form.test_groups] == [("penicillin", "青霉素类")]
