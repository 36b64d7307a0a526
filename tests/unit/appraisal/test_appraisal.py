"""Prescriptions of a month, drawn by lot and commented on by somebody else."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appraisal import queries, service
from backend.appraisal.model import Appraisal
from backend.appraisal.rules import (
    ITEMS,
    Grade,
    draw,
    month_after,
    month_before,
    percent,
    percentile,
    verdict,
)
from backend.context import Context
from backend.prescription import reviewing
from backend.prescription.model import PrescriptionRow
from foundation.errors import Forbidden, Invalid
from tests.builders.visits import a_patient, accepted, approved, on_shift, signed
from tests.database import SharedClock
from tests.small_world import PHARMACIST, QUALITY, SECOND_PHARMACIST

pytestmark = pytest.mark.anyio
OCTOBER = date(2026, 10, 1)
POPULATIONS = st.dictionaries(st.uuids(), st.lists(st.uuids(), max_size=12, unique=True), max_size=5)


@given(st.text(max_size=8), POPULATIONS, st.integers(0, 6))
def test_everybody_is_drawn_alike_and_nothing_that_was_not_there(
    seed: str, population: dict[UUID, list[UUID]], each: int
) -> None:
    drawn = draw(seed, population, each)

    for who, ids in population.items():
        mine = drawn.get(who, [])
        assert set(mine) <= set(ids)
        assert len(mine) == min(each, len(ids))


@given(st.text(max_size=8), POPULATIONS, st.integers(0, 6))
def test_who_draws_again_with_the_seed_gets_the_same(
    seed: str, population: dict[UUID, list[UUID]], each: int
) -> None:
    mixed = {who: list(reversed(ids)) for who, ids in reversed(population.items())}

    assert draw(seed, population, each) == draw(seed, mixed, each)


def test_another_seed_is_another_lot() -> None:
    ids = [UUID(int=number) for number in range(200)]

    assert draw("a", {UUID(int=1): ids}, 5) != draw("b", {UUID(int=1): ids}, 5)


def test_the_items_are_those_of_the_norm() -> None:
    """Irregular 15, inappropriate 9, abnormal 4."""
    counts = {grade: sum(one.grade is grade for one in ITEMS.values()) for grade in Grade}

    assert counts == {Grade.IRREGULAR: 15, Grade.INAPPROPRIATE: 9, Grade.ABNORMAL: 4}


def test_the_gravest_item_names_the_prescription() -> None:
    assert verdict([]) == "合理处方"
    assert verdict(["1-3"]) == "不规范处方"
    assert verdict(["1-3", "2-5"]) == "用药不适宜处方"
    assert verdict(["2-5", "3-1", "1-1"]) == "超常处方"


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_months_follow_one_another(day: date) -> None:
    first = month_before(day)

    assert first.day == month_after(first).day == 1
    assert month_after(first) == day.replace(day=1)


@pytest.mark.parametrize(
    ("part", "whole", "words"), [(0, 0, "—"), (1, 3, "33.3%"), (2, 3, "66.7%"), (5, 5, "100.0%")]
)
def test_shares_are_whole_tenths(part: int, whole: int, words: str) -> None:
    assert percent(part, whole) == words


def test_percentiles_are_of_those_that_were_there() -> None:
    assert percentile([], 50) == 0
    assert [percentile([5, 1, 9, 3], share) for share in (50, 90, 100)] == [3, 9, 9]


async def passed_in_october(session: AsyncSession, context: Context) -> PrescriptionRow:
    row = await approved(session, context, await a_patient(session))
    day = context.clock.now().replace(month=10, day=12)
    await session.execute(update(PrescriptionRow).where(PrescriptionRow.id == row.id).values(reviewed_at=day))
    await session.refresh(row)
    return row


async def drawn(session: AsyncSession, context: Context) -> Appraisal:
    await passed_in_october(session, context)
    made = await service.draw(session, QUALITY.actor, OCTOBER)
    return (await queries.of_round(session, made.id))[0]


async def test_a_month_is_drawn_once_and_can_be_drawn_again_by_anybody(
    session: AsyncSession, context: Context
) -> None:
    row = await passed_in_october(session, context)

    first = await service.draw(session, QUALITY.actor, OCTOBER)
    again = await service.draw(session, QUALITY.actor, OCTOBER)

    assert first.id == again.id
    found = await queries.of_round(session, first.id)
    assert [one.prescription_id for one in found] == [row.id]
    redrawn = draw(first.seed, await queries.passed_in(session, OCTOBER), first.each)
    assert redrawn == {row.prescriber_id: [row.id]}


async def test_a_month_that_is_not_over_is_not_drawn(session: AsyncSession) -> None:
    with pytest.raises(Invalid):
        await service.draw(session, QUALITY.actor, date(2026, 11, 1))


async def test_who_reviewed_it_does_not_comment_on_it(session: AsyncSession, context: Context) -> None:
    one = await drawn(session, context)

    with pytest.raises(Forbidden) as refused:
        await service.judge(session, PHARMACIST.actor, one.id, [], "")

    assert refused.value.code == "own_review"


async def test_an_opinion_is_kept_and_reported(session: AsyncSession, context: Context) -> None:
    one = await drawn(session, context)

    await service.judge(
        session, SECOND_PHARMACIST.actor, one.id, ["2-5", "1-10"], "用法与说明书不符，诊断不全"
    )

    (line,) = await queries.report(session, one.round_id)
    assert (line.drawn, line.judged, line.rational, line.rate) == (1, 1, 0, "0.0%")
    assert dict(line.items) == {"2-5": 1, "1-10": 1}


async def test_what_is_wrong_is_said_in_words(session: AsyncSession, context: Context) -> None:
    one = await drawn(session, context)

    with pytest.raises(Invalid) as refused:
        await service.judge(session, SECOND_PHARMACIST.actor, one.id, ["2-5", "9-9"], "")

    assert {issue.field for issue in refused.value.issues} == {"items", "note"}


async def test_the_quality_office_may_have_it_looked_at_again(
    session: AsyncSession, context: Context
) -> None:
    one = await drawn(session, context)
    await service.judge(session, SECOND_PHARMACIST.actor, one.id, [], "")

    row = await service.reopen(session, QUALITY.actor, one.id, "医生申诉")

    assert row.state == "drawn"


async def test_figures_say_how_many_how_long_and_why(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    patient = await a_patient(session)
    visit = await accepted(session, context, patient)
    row = await signed(session, context, visit)
    await on_shift(session, context, PHARMACIST)
    await reviewing.return_to_doctor(
        session, PHARMACIST.actor, row, category="appropriateness", item=0, reason="剂量偏大", point="A3"
    )
    today = clock.today()

    found = await queries.figures(session, today, today, late_seconds=600)

    assert (found.reviews, found.returned, found.confirmed, found.late) == (1, 1, 0, 0)
    assert dict(found.by_point) == {"A3": 1}
    assert dict(found.by_pharmacist[PHARMACIST.name]) == {"reviews": 1, "returned": 1}
