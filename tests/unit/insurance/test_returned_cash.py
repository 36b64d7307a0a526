"""Cash of an insurance order that came to nothing, on a way back that is not smooth: somebody hears of it, and it can go on."""

from uuid import UUID

import pytest
from sqlalchemy import select

from backend.alarm.model import Alarm
from backend.insurance import service
from backend.insurance.states import InsuranceState
from backend.payment import service as money
from foundation.db.intents import intend
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import Insured, parked, runs_due
from tests.database import SharedClock, moves_on
from tests.town import Town

pytestmark = pytest.mark.anyio
BACK = [("received", "wechat_cash", 700), ("refunded", "wechat_cash", 700)]


@pytest.fixture
async def owed(she: Insured, town: Town) -> Insured:
    """Seven yuan were taken, and the insurance has not paid."""
    town.wechat_faults(insurance_settle_fails=True)
    await she.types_password(await she.agrees())
    town.wechat_faults()
    await she.refresh()
    return she


async def settles(she: Insured, clock: SharedClock, times: int = 3, minutes: int = 31) -> None:
    for _ in range(times):
        await runs_due(she.context)
        moves_on(clock, minutes=minutes)


async def bells(she: Insured) -> list[str]:
    async with unit_of_work(she.context.db) as session:
        return list(await session.scalars(select(Alarm.kind).where(Alarm.closed_at.is_(None))))


async def tried_again(she: Insured) -> None:
    """A person, having seen to it, has the parked work done."""
    async with unit_of_work(she.context.db) as session:
        await intend(session, service.RETURN, (await she.orders())[0].id)


async def woken_by(she: Insured, out_refund_no: str) -> tuple[str, UUID] | None:
    async with unit_of_work(she.context.db) as session:
        return await service.job_of(session, (await she.orders())[0].out_trade_no, out_refund_no)


async def test_an_account_it_cannot_reach_rings_until_somebody_has_redirected_it(
    owed: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(refund_outcome="ABNORMAL", refund_seconds=0)
    await settles(owed, clock)
    assert await bells(owed) == ["returned_cash_abnormal"]
    [order] = await owed.orders()
    found = await owed.context.pay.query_refund(order.refund_no)
    assert found is not None

    await owed.context.pay.redirect_refund(
        refund_id=found.refund_id, out_refund_no=order.refund_no, card=None
    )
    moves_on(clock, minutes=1)
    await settles(owed, clock)

    assert await owed.money() == BACK
    assert await bells(owed) == ["returned_cash_at_hospital"]


async def test_a_closed_return_rings_and_waits_for_a_person_and_goes_on_under_a_new_number(
    owed: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(refund_outcome="CLOSED", refund_seconds=0)
    await settles(owed, clock)
    assert await bells(owed) == ["returned_cash_closed"]
    assert await parked(owed.context) == [service.RETURN]
    town.wechat_faults()

    await tried_again(owed)
    await settles(owed, clock)

    [order] = await owed.orders()
    assert order.state == InsuranceState.FAILED
    assert order.refund_no == f"{order.id.hex}-2"
    assert await owed.money() == BACK
    assert (await bells(owed), await parked(owed.context)) == ([], [])


async def test_one_that_is_closed_again_has_yet_another_number(
    owed: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(refund_outcome="CLOSED", refund_seconds=0)
    await settles(owed, clock)
    await tried_again(owed)
    await settles(owed, clock)

    [order] = await owed.orders()

    assert order.refund_no == f"{order.id.hex}-3"
    assert await bells(owed) == ["returned_cash_closed"]


async def test_a_notice_finds_the_job_by_the_number_of_now_and_does_nothing_by_one_of_before(
    owed: Insured, town: Town, clock: SharedClock
) -> None:
    """Or a late notice about the closing would try again what waits for a person."""
    [order] = await owed.orders()
    before = await woken_by(owed, order.id.hex)
    town.wechat_faults(refund_outcome="CLOSED", refund_seconds=0)
    await settles(owed, clock)

    assert before == (service.RETURN, order.id)
    assert await woken_by(owed, f"{order.id.hex}-2") == (service.RETURN, order.id)
    assert await woken_by(owed, order.id.hex) == (money.SETTLE, owed.bill)
    assert await woken_by(owed, "0" * 32) is None


async def test_an_empty_account_rings_and_is_waited_for(
    owed: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(not_enough=1.0)
    await settles(owed, clock)
    assert (await bells(owed), await parked(owed.context)) == (["refund_not_enough"], [])
    town.wechat_faults()

    await settles(owed, clock)

    assert await owed.money() == BACK
    assert await bells(owed) == []
