"""What an insurance order leaves behind that is over: a claim, and perhaps cash that was faster than the closing."""

import pytest
from sqlalchemy import select

from backend.alarm.model import Alarm
from backend.insurance import service
from backend.insurance.states import InsuranceState
from foundation.actor import SYSTEM
from foundation.db.intents import intend
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import Insured, parked, runs_due
from tests.database import SharedClock, moves_on
from tests.town import Town

pytestmark = pytest.mark.anyio
BACK = [("received", "wechat_cash", 700), ("refunded", "wechat_cash", 700)]


async def settles(she: Insured, clock: SharedClock, times: int = 4) -> None:
    """Jobs run, and again later."""
    for _ in range(times):
        await runs_due(she.context)
        moves_on(clock, seconds=70)


async def bells(she: Insured) -> list[str]:
    async with unit_of_work(she.context.db) as session:
        return list(await session.scalars(select(Alarm.kind).where(Alarm.closed_at.is_(None))))


async def is_over_as_she_pays(she: Insured, town: Town, end: InsuranceState, **faults: bool) -> None:
    """We have been told the end of it, and before its cash order is closed she types her password."""
    parameters = await she.agrees()
    [order] = await she.orders()
    async with unit_of_work(she.context.db) as session:
        if end is InsuranceState.FAILED:
            await service.failed(session, order.id, "医保没有完成支付")
        else:
            await service.abandon(session, SYSTEM, await session.get_one(type(order), order.id))
    town.wechat_faults(**faults)
    await she.types_password(parameters)
    town.wechat_faults()


@pytest.mark.parametrize("end", [InsuranceState.FAILED, InsuranceState.ABANDONED])
async def test_cash_that_was_faster_than_the_closing_is_written_down_and_goes_back(
    she: Insured, town: Town, clock: SharedClock, end: InsuranceState
) -> None:
    await is_over_as_she_pays(she, town, end, insurance_settle_fails=True)

    await settles(she, clock)

    assert await she.money() == BACK
    [order] = await she.orders()
    assert order.state == InsuranceState.FAILED
    assert await she.tenders() == {"wechat_cash": 5000}
    assert await parked(she.context) == []
    assert await bells(she) == []


async def test_tidying_once_more_returns_the_same_cash_once(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    await is_over_as_she_pays(she, town, InsuranceState.FAILED, insurance_settle_fails=True)
    await settles(she, clock)
    [order] = await she.orders()

    async with unit_of_work(she.context.db) as session:
        await intend(session, service.TIDY, order.id)
    await settles(she, clock)

    assert await she.money() == BACK
    assert await parked(she.context) == []


async def test_an_order_that_was_paid_by_both_after_it_was_over_is_a_persons_case(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    """Neither the claim is taken back nor the cash: they belong together."""
    await is_over_as_she_pays(she, town, InsuranceState.ABANDONED)

    await settles(she, clock)

    assert service.TIDY in await parked(she.context)
    assert "insurance_settled_after_all" in await bells(she)
    assert await she.money() == []
