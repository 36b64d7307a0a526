"""practice.md 17, case by case: each trigger is played by the verbs themselves, cites its rule, and ends with the provider's receipt."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.context import Context
from backend.dispensing import returning
from backend.dispensing import service as dispensing
from backend.dispensing.model import Dispense
from backend.encounter import service as visiting
from backend.encounter.tasks import mark_noshow
from backend.outside.courier import ParcelEvent
from backend.outside.wechat_pay import Amount, RefundAnswer
from backend.payment import refunding, service
from backend.payment.model import MoneyEvent, Payment, Refund
from backend.payment.rules import REFUND_RULES, RefundReason, balance
from backend.prescription import service as prescribing
from foundation.actor import SYSTEM, Actor
from foundation.db.audit import AuditEvent
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    accepted,
    approved,
    bill,
    booked,
    hands_over,
    ordered,
    paid_order,
    pays,
    requested,
    waiting,
)
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DOCTOR, PHARMACIST, QUALITY

pytestmark = pytest.mark.anyio

SECOND_CLERK = Actor("staff", QUALITY.id, frozenset({"clerk"}), QUALITY.name)
Scene = Callable[[AsyncSession, Context, Patient, SharedClock], Awaitable[Payment]]


async def cancels_early(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    row = await booked(session, context, patient, await a_slot(session, hours=5))
    moves_on(clock, hours=2)
    await visiting.cancel_by_patient(session, patient.actor, row)
    return await bill(session, row)


async def cancels_late(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    row = await booked(session, context, patient, await a_slot(session, hours=1))
    moves_on(clock, minutes=35)
    await visiting.cancel_by_patient(session, patient.actor, row)
    return await bill(session, row)


async def doctor_is_late(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    visit = await waiting(session, context, patient)
    row = await session.get_one(Appointment, visit.appointment_id)
    moves_on(clock, minutes=16)
    await visiting.cancel_by_patient(session, patient.actor, row)
    return await bill(session, row)


def declined(cause: RefundReason) -> Scene:
    async def play(session: AsyncSession, context: Context, patient: Patient, clock: SharedClock) -> Payment:
        visit = await waiting(session, context, patient)
        await visiting.decline(session, DOCTOR.actor, visit, reason="需要当面查体", cause=cause)
        return await bill(session, await session.get_one(Appointment, visit.appointment_id))

    return play


async def nobody_accepts(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    visit = await waiting(session, context, patient)
    moves_on(clock, minutes=31)
    await visiting.decline(session, SYSTEM, visit, reason="超时", cause=RefundReason.NOBODY_ACCEPTED)
    return await bill(session, await session.get_one(Appointment, visit.appointment_id))


async def doctor_cancels(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    row = await booked(session, context, patient, await a_slot(session, hours=2))
    await booking.cancel(session, SYSTEM, row, RefundReason.DOCTOR_CANCELLED, "system")
    return await bill(session, row)


def referred(*, advised: bool) -> Scene:
    async def play(session: AsyncSession, context: Context, patient: Patient, clock: SharedClock) -> Payment:
        visit = await accepted(session, context, patient)
        visit.advice_given = advised
        await session.flush()
        await visiting.refer_offline(session, DOCTOR.actor, visit, reason="请到医院就诊")
        return await bill(session, await session.get_one(Appointment, visit.appointment_id))

    return play


async def pays_too_late(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    row = await requested(session, patient)
    await booking.cancel(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY, "system")
    return await pays(session, context, row)


async def out_of_stock(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    order = await paid_order(session, context, patient)
    await dispensing.decline(session, PHARMACIST.actor, order, "库存不足")
    return await of_order(session, order)


async def not_dispensed_in_time(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    """practice.md 13: paid but not dispensed → refund."""
    order = await paid_order(session, context, patient)
    moves_on(clock, days=2)
    assert await dispensing.lapse(session, order.id)
    return await of_order(session, order)


async def doctor_withdraws(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> Payment:
    row = await approved(session, context, patient)
    _, payment = await ordered(session, patient, row)
    await pays(session, context, row)
    await prescribing.cancel(session, DOCTOR.actor, row, "剂量需调整")
    await dispensing.on_withdrawn(session, context, row.id)
    return payment


def came_back(cause: str, status: str = "returned") -> Scene:
    async def play(session: AsyncSession, context: Context, patient: Patient, clock: SharedClock) -> Payment:
        order = await handed_over(session, context, patient)
        await dispensing.shipped(session, order.id, "SF01")
        await dispensing.tracked(session, order.id, status, [ParcelEvent(1, status, clock.now())])
        await returning.quarantine(session, PHARMACIST.actor, order)
        await returning.judge(session, PHARMACIST.actor, order, cause, "destroyed", "外包装完好，已隔离")
        return await of_order(session, order)

    return play


async def agreed(session: AsyncSession, context: Context, patient: Patient, clock: SharedClock) -> Payment:
    payment = await bill(session, await booked(session, context, patient))
    await refunding.propose(session, CLERK.actor, payment, payment.amount, "投诉处理结果：退还诊查费")
    return payment


async def handed_over(session: AsyncSession, context: Context, patient: Patient) -> Dispense:
    order = await paid_order(session, context, patient)
    return await hands_over(session, context, order)


async def of_order(session: AsyncSession, order: Dispense) -> Payment:
    query = select(Payment).where(Payment.subject_id == order.prescription_id)
    return (await session.scalars(query)).one()


SCENES: dict[RefundReason, Scene] = {
    RefundReason.PATIENT_CANCELLED: cancels_early,
    RefundReason.PATIENT_CANCELLED_LATE: cancels_late,
    RefundReason.DOCTOR_LATE: doctor_is_late,
    RefundReason.DECLINED: declined(RefundReason.DECLINED),
    RefundReason.NOT_A_FOLLOW_UP: declined(RefundReason.NOT_A_FOLLOW_UP),
    RefundReason.NOBODY_ACCEPTED: nobody_accepts,
    RefundReason.DOCTOR_CANCELLED: doctor_cancels,
    RefundReason.REFERRED_BEFORE_ADVICE: referred(advised=False),
    RefundReason.REFERRED_AFTER_ADVICE: referred(advised=True),
    RefundReason.PAID_AFTER_EXPIRY: pays_too_late,
    RefundReason.OUT_OF_STOCK: out_of_stock,
    RefundReason.PRESCRIPTION_EXPIRED: not_dispensed_in_time,
    RefundReason.PRESCRIPTION_CANCELLED: doctor_withdraws,
    RefundReason.UNDELIVERED: came_back("delivery"),
    RefundReason.REFUSED_BY_RECEIVER: came_back("receiver"),
    RefundReason.FAULTY_DRUG: came_back("quality", "delivered"),
    RefundReason.BY_AGREEMENT: agreed,
}


def test_every_reason_is_played() -> None:
    """The no-show is played below: its verb is a job with a transaction of its own."""
    assert set(SCENES) == set(RefundReason) - {RefundReason.NO_SHOW}


async def test_who_never_comes_gets_nothing_back_and_the_rule_is_cited(
    running: Context, clock: SharedClock
) -> None:
    async with unit_of_work(running.db) as session:
        row = await booked(session, running, await a_patient(session))
    moves_on(clock, hours=1)

    await mark_noshow(Work(running, row.id))

    async with unit_of_work(running.db) as session:
        assert (await session.scalars(select(Refund))).all() == []
        line = (
            await session.scalars(select(AuditEvent).where(AuditEvent.action == "refund.nothing_due"))
        ).one()
    assert line.detail == {"reason": "no_show", "rule": "A03", "version": "2026.1"}


async def refund_of(session: AsyncSession, payment: Payment) -> Refund | None:
    return (await session.scalars(select(Refund).where(Refund.payment_id == payment.id))).one_or_none()


@pytest.mark.parametrize("reason", SCENES, ids=str)
async def test_what_goes_back_is_what_the_rule_says_proven_by_a_receipt(
    session: AsyncSession, context: Context, clock: SharedClock, reason: RefundReason
) -> None:
    patient, rule = await a_patient(session), REFUND_RULES[reason]

    payment = await SCENES[reason](session, context, patient, clock)

    refund = await refund_of(session, payment)
    if rule.percent == 0:
        assert refund is None
        line = (
            await session.scalars(select(AuditEvent).where(AuditEvent.action == "refund.nothing_due"))
        ).one()
        assert (line.subject_id, line.detail["rule"]) == (str(payment.id), rule.id)
        return
    assert refund is not None
    assert (refund.reason, refund.rule_id, refund.rule_version) == (reason, rule.id, "2026.1")
    assert refund.amount == rule.share(payment.amount)
    if rule.approver:
        assert (refund.state, refund.settle_by) == ("proposed", None)
        await refunding.approve(session, SECOND_CLERK, refund.id)
    assert refund.state == "requested"
    assert refund.settle_by == clock_about(clock, refund.settle_by, rule.settle_within_hours)
    assert balance(await moved(session, payment)) == payment.amount
    await service.refund_answered(session, context, refund.id, receipt(refund))
    assert refund.state == "succeeded"
    assert balance(await moved(session, payment)) == payment.amount - refund.amount


def clock_about(clock: SharedClock, moment: object, hours: int) -> object:
    """`moment` itself when it lies the rule's hours from now, give or take the test's own seconds."""
    expected = clock.now() + timedelta(hours=hours)
    return moment if abs(expected - moment) < timedelta(minutes=1) else expected  # type: ignore[operator]


def receipt(refund: Refund) -> RefundAnswer:
    return RefundAnswer(
        refund_id=f"50{refund.id.int % 10**18}", out_refund_no=refund.out_refund_no, status="SUCCESS",
        amount=Amount(refund=refund.amount),
    )  # fmt: skip


async def moved(session: AsyncSession, payment: Payment) -> list[tuple[str, int]]:
    rows = await session.scalars(select(MoneyEvent).where(MoneyEvent.payment_id == payment.id))
    return [(row.kind, row.amount) for row in rows]


async def test_delivered_drugs_go_back_for_quality_alone(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """practice.md 16."""
    order = await handed_over(session, context, await a_patient(session))
    await dispensing.tracked(session, order.id, "delivered", [])

    for cause in ("delivery", "receiver"):
        with pytest.raises(Conflict) as refused:
            await returning.judge(session, PHARMACIST.actor, order, cause, "destroyed", "患者不想要了")
        assert refused.value.code == "delivered"


async def test_a_cause_is_judged_once_and_only_of_what_came_back(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    order = await handed_over(session, context, await a_patient(session))
    with pytest.raises(Conflict) as refused:
        await returning.judge(session, PHARMACIST.actor, order, "delivery", "destroyed", "还在路上")
    assert refused.value.code == "nothing_returned"
    await dispensing.tracked(session, order.id, "returned", [])
    await returning.quarantine(session, PHARMACIST.actor, order)
    await returning.judge(session, PHARMACIST.actor, order, "delivery", "supplier", "地址无人签收")

    with pytest.raises(Conflict) as refused:
        await returning.judge(session, PHARMACIST.actor, order, "quality", "destroyed", "又看了一遍")
    assert refused.value.code == "already_judged"


async def test_what_was_dispensed_in_time_does_not_lapse(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    order = await handed_over(session, context, await a_patient(session))
    moves_on(clock, days=2)

    assert not await dispensing.lapse(session, order.id)
    assert await refund_of(session, await of_order(session, order)) is None
