"""Packs kept for orders add up, whatever happens to the orders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.dispensing import service as dispensing
from backend.prescription import service as prescribing
from backend.stock import service
from backend.stock.model import StockLevel
from backend.stock.rules import Kind, Level, after, shortages
from foundation.errors import Conflict
from tests.builders.visits import a_patient, approved, hands_over, ordered, paid_order
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR, PHARMACIST

pytestmark = pytest.mark.anyio
MOVES = st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, 9)), max_size=30)


@given(MOVES)
def test_a_level_never_keeps_more_than_there_is(moves: list[tuple[Kind, int]]) -> None:
    level = Level(0, 0)
    for kind, packs in moves:
        try:
            level = after(level, kind, packs)
        except ValueError:
            continue
        assert 0 <= level.reserved <= level.on_hand
        assert level.free >= 0


@given(st.integers(0, 50), st.integers(0, 50))
def test_what_is_kept_and_given_back_leaves_no_trace(on_hand: int, packs: int) -> None:
    level = Level(on_hand, 0)
    if packs <= on_hand:
        assert after(after(level, Kind.RESERVE, packs), Kind.RELEASE, packs) == level


def test_a_drug_that_nobody_counts_is_never_short() -> None:
    assert shortages({"X": 5}, {}, {}) == []
    assert [one.code for one in shortages({"X": 5}, {"X": Level(9, 5)}, {"X": "药"})] == ["out_of_stock"]


async def level(session: AsyncSession) -> Level:
    row = (await service.levels(session))[0]
    await session.refresh(row)
    return row.level


async def counted(session: AsyncSession, packs: int) -> StockLevel:
    return await service.count_in(session, PHARMACIST.actor, "YP001", packs, "入库")


async def test_an_order_keeps_its_packs_and_a_hand_over_takes_them(
    session: AsyncSession, context: Context
) -> None:
    await counted(session, 3)
    order = await paid_order(session, context, await a_patient(session), "pickup")
    assert await level(session) == Level(3, 1)

    await hands_over(session, context, order)

    assert await level(session) == Level(2, 0)


async def test_nothing_is_ordered_that_is_not_there(session: AsyncSession, context: Context) -> None:
    await counted(session, 0)
    patient = await a_patient(session)
    row = await approved(session, context, patient)

    with pytest.raises(Conflict) as refused:
        await ordered(session, patient, row)

    assert refused.value.code == "out_of_stock"


async def test_an_expired_prescription_gives_its_packs_back(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """Unpaid: the order is withdrawn with it."""
    await counted(session, 3)
    patient = await a_patient(session)
    row = await approved(session, context, patient)
    await ordered(session, patient, row)

    await dispensing.on_withdrawn(session, context, row.id)
    await dispensing.on_withdrawn(session, context, row.id)

    assert await level(session) == Level(3, 0)


async def test_what_was_paid_and_not_dispensed_in_time_gives_its_packs_back(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    await counted(session, 3)
    order = await paid_order(session, context, await a_patient(session))
    moves_on(clock, days=2)

    assert await dispensing.lapse(session, order.id)

    assert await level(session) == Level(3, 0)


async def test_a_withdrawn_prescription_gives_its_packs_back(session: AsyncSession, context: Context) -> None:
    await counted(session, 3)
    patient = await a_patient(session)
    row = await approved(session, context, patient)
    await ordered(session, patient, row)

    assert await prescribing.cancel(session, DOCTOR.actor, row, "剂量需调整")
    await dispensing.on_withdrawn(session, context, row.id)

    assert await level(session) == Level(3, 0)


async def test_counting_below_what_is_kept_is_refused(session: AsyncSession, context: Context) -> None:
    await counted(session, 1)
    await paid_order(session, context, await a_patient(session))

    with pytest.raises(Conflict) as refused:
        await counted(session, -1)

    assert refused.value.code == "stock_below_reserved"
