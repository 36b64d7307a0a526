"""Refunds that a person decides on, and bells that ring when nobody does."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm.model import Alarm
from backend.context import Context
from backend.outside.wechat_pay import Amount, RefundAnswer
from backend.payment import refunding, service
from backend.payment.model import Payment, Refund
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM, Actor
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent
from foundation.errors import Conflict, Forbidden, IllegalMove, NotFound
from foundation.ids import new_id
from tests.builders.visits import a_patient, bill, booked
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DUTY_DESK, QUALITY

pytestmark = pytest.mark.anyio

SECOND_CLERK = Actor("staff", QUALITY.id, frozenset({"clerk"}), QUALITY.name)
WHY = "投诉核实，退还诊查费"


@pytest.fixture
async def payment(session: AsyncSession, context: Context) -> Payment:
    return await bill(session, await booked(session, context, await a_patient(session)))


@pytest.fixture
async def proposed(session: AsyncSession, payment: Payment) -> Refund:
    return await refunding.propose(session, CLERK.actor, payment, 1200, WHY)


async def jobs(session: AsyncSession, kind: str) -> list[Intent]:
    return list(await session.scalars(select(Intent).where(Intent.kind == kind, Intent.done_at.is_(None))))


async def bells(session: AsyncSession) -> list[Alarm]:
    query = select(Alarm).where(Alarm.kind == "refund_late", Alarm.closed_at.is_(None))
    return list(await session.scalars(query))


async def test_a_proposed_refund_moves_no_money_until_somebody_else_agrees(
    session: AsyncSession, proposed: Refund
) -> None:
    assert (proposed.state, proposed.amount, proposed.rule_id) == ("proposed", 1200, "M01")
    assert await jobs(session, service.REFUND) == []

    with pytest.raises(Forbidden) as refused:
        await refunding.approve(session, CLERK.actor, proposed.id)
    assert refused.value.code == "four_eyes"
    assert await refunding.approve(session, SECOND_CLERK, proposed.id, "同意")

    assert (proposed.state, proposed.decided_by, proposed.decision_note) == ("requested", QUALITY.id, "同意")
    assert len(await jobs(session, service.REFUND)) == 1


async def test_agreeing_twice_is_agreeing_once(session: AsyncSession, proposed: Refund) -> None:
    assert await refunding.approve(session, SECOND_CLERK, proposed.id)
    assert not await refunding.approve(session, Actor("staff", new_id(), frozenset({"admin"})), proposed.id)

    query = select(AuditEvent).where(AuditEvent.action == "refund.approve")
    assert len((await session.scalars(query)).all()) == 1


async def test_a_rejected_refund_is_over_and_may_be_proposed_anew(
    session: AsyncSession, payment: Payment, proposed: Refund
) -> None:
    await refunding.reject(session, SECOND_CLERK, proposed.id, "理由不足")
    with pytest.raises(IllegalMove):
        await refunding.approve(session, SECOND_CLERK, proposed.id)

    again = await refunding.propose(session, CLERK.actor, payment, 5000, WHY)

    assert (proposed.state, again.state, again.amount) == ("rejected", "proposed", 5000)


async def test_never_more_is_proposed_than_is_left(session: AsyncSession, payment: Payment) -> None:
    await service.request_refund(session, SYSTEM, payment, RefundReason.PATIENT_CANCELLED_LATE)

    made = await refunding.propose(session, CLERK.actor, payment, 999_999, WHY)

    assert made.amount == payment.amount - payment.amount // 2
    with pytest.raises(Conflict) as refused:
        await refunding.propose(session, CLERK.actor, payment, 1, WHY)
    assert refused.value.code == "nothing_to_refund"


async def test_who_is_no_clerk_decides_nothing(session: AsyncSession, proposed: Refund) -> None:
    with pytest.raises(Forbidden):
        await refunding.approve(session, DUTY_DESK.actor, proposed.id)
    with pytest.raises(NotFound):
        await refunding.approve(session, SECOND_CLERK, new_id())


async def test_an_approval_that_takes_too_long_rings_once_and_is_over_with_it(
    session: AsyncSession, proposed: Refund, clock: SharedClock
) -> None:
    await refunding.ring(session, proposed.id)
    assert await bells(session) == []
    moves_on(clock, hours=25)

    for _ in range(2):
        await refunding.ring(session, proposed.id)

    [bell] = await bells(session)
    assert (bell.subject, bell.times) == (str(proposed.id), 1)
    await refunding.approve(session, SECOND_CLERK, proposed.id)
    assert await bells(session) == []


async def test_a_receipt_that_does_not_come_rings_and_its_arrival_ends_it(
    session: AsyncSession, context: Context, proposed: Refund, clock: SharedClock
) -> None:
    await refunding.approve(session, SECOND_CLERK, proposed.id)
    moves_on(clock, hours=71)
    await refunding.ring(session, proposed.id)
    assert await bells(session) == []
    moves_on(clock, hours=2)
    await refunding.ring(session, proposed.id)
    assert len(await bells(session)) == 1

    answer = RefundAnswer(
        refund_id="50-1", out_refund_no=proposed.out_refund_no, status="SUCCESS", amount=Amount(refund=1200)
    )
    await service.refund_answered(session, context, proposed.id, answer)

    assert await bells(session) == []
    assert await jobs(session, service.ALARM) == []


async def test_what_the_provider_closed_is_asked_for_under_a_new_number(
    session: AsyncSession, context: Context, payment: Payment
) -> None:
    """WeChat Pay closes a refund that waits seven days for money: it needs a new out_refund_no."""
    refund = await service.request_refund(session, SYSTEM, payment, RefundReason.DOCTOR_CANCELLED)
    assert refund is not None
    with pytest.raises(Conflict) as refused:
        await refunding.renew(session, CLERK.actor, refund.id)
    assert refused.value.code == "refund_not_closed"
    closed = RefundAnswer(
        refund_id="50-1",
        out_refund_no=refund.out_refund_no,
        status="CLOSED",
        amount=Amount(refund=refund.amount),
    )
    await service.refund_answered(session, context, refund.id, closed)

    made = await refunding.renew(session, CLERK.actor, refund.id)

    assert (made.reason, made.amount, made.state) == (refund.reason, refund.amount, "requested")
    assert made.out_refund_no != refund.out_refund_no
    with pytest.raises(Conflict):
        await refunding.renew(session, CLERK.actor, refund.id)
