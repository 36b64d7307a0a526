"""A refund that WeChat Pay closed after the insurance had given its parts back: only the rest is asked for anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.payment import refunding
from backend.payment import service as money
from backend.payment.model import Payment
from backend.payment.rulebook import RefundReason
from backend.payment.tenders import ORDER_OF_USE, remaining, take_back
from foundation.actor import SYSTEM
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import Insured, runs_due
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK
from tests.town import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
async def half_gone(she: Insured, town: Town, clock: SharedClock) -> Insured:
    """Of half her bill the insurance has given 18 yuan back; WeChat Pay closed the 7 yuan of cash."""
    await she.pays()
    assert (await she.refresh())["state"] == "confirmed"
    town.wechat_faults(refund_outcome="CLOSED", refund_seconds=0)
    async with unit_of_work(she.context.db) as session:
        payment = await session.get_one(Payment, she.bill)
        assert await money.request_refund(session, SYSTEM, payment, RefundReason.PATIENT_CANCELLED_LATE)
    await settles(she, clock)
    town.wechat_faults()
    assert [refund.state for refund in await she.refunds()] == ["closed"]
    return she


async def settles(she: Insured, clock: SharedClock, times: int = 4) -> None:
    for _ in range(times):
        await runs_due(she.context)
        moves_on(clock, seconds=70)


async def back(she: Insured) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind, tender, amount in await she.money():
        if kind == "refunded":
            found[tender] = found.get(tender, 0) + amount
    return found


async def test_what_the_insurance_gave_back_is_not_asked_for_again(
    half_gone: Insured, clock: SharedClock
) -> None:
    [closed] = await half_gone.refunds()
    assert await back(half_gone) == {"ins_self": 800, "ins_gov": 1000}

    async with unit_of_work(half_gone.context.db) as session:
        made = await refunding.renew(session, CLERK.actor, closed.id)
    await settles(half_gone, clock)

    assert made.amount == 700
    assert await back(half_gone) == {"ins_self": 800, "ins_gov": 1000, "wechat_cash": 700}


async def test_the_same_reason_again_gives_no_more_than_the_rest_of_its_share(half_gone: Insured) -> None:
    """Whoever asks: the clerk by renewing, or the rule's own trigger once more."""
    async with unit_of_work(half_gone.context.db) as session:
        payment = await session.get_one(Payment, half_gone.bill)
        made = await money.request_refund(session, SYSTEM, payment, RefundReason.PATIENT_CANCELLED_LATE)

    assert made is not None
    assert made.amount == 700


@given(
    st.dictionaries(st.sampled_from(ORDER_OF_USE), st.integers(1, 10_000_00), min_size=1),
    st.sets(st.sampled_from(ORDER_OF_USE)),
    st.data(),
)
def test_what_is_renewed_and_what_had_gone_before_are_the_share_to_the_fen(
    bill: dict[str, int], proven: set[str], data: st.DataObject
) -> None:
    share = data.draw(st.integers(1, sum(bill.values())))
    first = take_back(share, bill)
    gone = {tender: amount for tender, amount in first.items() if tender in proven}

    again = take_back(share - sum(gone.values()), remaining(bill, gone))

    total = {tender: gone.get(tender, 0) + again.get(tender, 0) for tender in bill}
    assert sum(total.values()) == share
    assert all(amount <= bill[tender] for tender, amount in total.items())
