"""Refunds by agreement, one after the other: each may be a part, and together they are never more than was paid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.outside.wechat_pay import Amount, RefundAnswer
from backend.payment import queries, refunding, service
from backend.payment.model import Payment, Refund
from backend.payment.rules import RefundReason
from backend.payment.tenders import CASH, remaining, take_back
from foundation.actor import SYSTEM, Actor
from foundation.errors import Conflict
from tests.builders.visits import a_patient, bill, booked
from tests.small_world import CLERK, QUALITY

pytestmark = pytest.mark.anyio

SECOND_CLERK = Actor("staff", QUALITY.id, frozenset({"clerk"}), QUALITY.name)
WHY = "投诉核实，退还诊查费"


@pytest.fixture
async def payment(session: AsyncSession, context: Context) -> Payment:
    return await bill(session, await booked(session, context, await a_patient(session)))


async def agreed(session: AsyncSession, context: Context, payment: Payment, amount: int) -> Refund:
    """Proposed, approved, and with the patient."""
    refund = await refunding.propose(session, CLERK.actor, payment, amount, WHY)
    await refunding.approve(session, SECOND_CLERK, refund.id)
    await arrives(session, context, refund)
    return refund


async def arrives(session: AsyncSession, context: Context, refund: Refund) -> None:
    answer = RefundAnswer(
        refund_id=f"50-{refund.id.hex[-8:]}", out_refund_no=refund.out_refund_no, status="SUCCESS",
        amount=Amount(refund=refund.amount),
    )  # fmt: skip
    await service.refund_answered(session, context, refund.id, answer)


async def test_after_a_part_another_part_may_be_agreed_to(
    session: AsyncSession, context: Context, payment: Payment
) -> None:
    first = await agreed(session, context, payment, 1200)

    second = await refunding.propose(session, CLERK.actor, payment, 800, WHY)

    assert (first.state, second.state, second.amount) == ("succeeded", "proposed", 800)


async def test_all_parts_together_are_never_more_than_was_paid(
    session: AsyncSession, context: Context, payment: Payment
) -> None:
    amounts = [(await agreed(session, context, payment, amount)).amount for amount in (1200, 2000, 99_999)]

    with pytest.raises(Conflict) as refused:
        await refunding.propose(session, CLERK.actor, payment, 1, WHY)

    assert sum(amounts) == payment.amount
    assert (refused.value.code, refused.value.detail) == ("nothing_to_refund", "没有可退的金额")
    assert await queries.given_back(session, payment.id) == {CASH: payment.amount}


async def test_while_one_is_being_dealt_with_the_next_waits_and_is_told_so(
    session: AsyncSession, payment: Payment
) -> None:
    await refunding.propose(session, CLERK.actor, payment, 1200, WHY)

    with pytest.raises(Conflict) as refused:
        await refunding.propose(session, CLERK.actor, payment, 800, WHY)

    assert refused.value.code == "refund_running"
    assert "在办理" in refused.value.detail


async def test_a_rule_gives_its_share_once_however_often_it_is_triggered(
    session: AsyncSession, context: Context, payment: Payment
) -> None:
    """Of agreement there may be more; of a rule there may not, also when its refund is done."""
    half = await service.request_refund(session, SYSTEM, payment, RefundReason.PATIENT_CANCELLED_LATE)
    assert half is not None
    await arrives(session, context, half)

    again = await service.request_refund(session, SYSTEM, payment, RefundReason.PATIENT_CANCELLED_LATE)

    assert again is None
    assert await queries.given_back(session, payment.id) == {CASH: half.amount}


@given(st.integers(1, 10_000_00), st.lists(st.integers(1, 10_000_00), max_size=12))
def test_whatever_is_agreed_to_in_whatever_order_stays_within_the_bill(paid: int, asked: list[int]) -> None:
    received, gone = {CASH: paid}, 0
    for amount in asked:
        left = remaining(received, {CASH: gone})
        gone += sum(take_back(min(amount, sum(left.values())), left).values())

    assert gone == min(paid, sum(asked))
