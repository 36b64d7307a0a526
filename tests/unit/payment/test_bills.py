from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.outside.wechat_pay import Amount, RefundAnswer
from backend.payment import queries, service
from backend.payment.model import MoneyEvent, Payment, Refund
from backend.payment.rules import Line, RefundReason, balance
from foundation.actor import SYSTEM
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.errors import Conflict, Gone, Invalid, NotFound
from foundation.ids import new_id
from tests.builders.visits import Patient, a_patient, bill, booked, pays, proof, requested, visit_of
from tests.database import MORNING, SharedClock, moves_on
from tests.small_world import OTHER

pytestmark = pytest.mark.anyio


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


async def an_open_bill(session: AsyncSession, patient: Patient, **more: int) -> Payment:
    lines = [Line("a", "甲", 1250, 2, "v1"), Line("b", "乙", 500, 1, "v1")]
    return await service.open_payment(
        session, subject_kind="appointment", subject_id=new_id(), stream="visit:1", account_id=patient.account,
        person_id=patient.person.id, lines=lines, description="诊查费", expires_at=MORNING + timedelta(minutes=20),
        tenders=more or None,
    )  # fmt: skip


def an_answer(refund: Refund, status: str, *, amount: int | None = None, number: str = "") -> RefundAnswer:
    return RefundAnswer(
        refund_id="50-1", out_refund_no=number or refund.out_refund_no, status=status,
        amount=Amount(refund=refund.amount if amount is None else amount),
    )  # fmt: skip


async def kinds(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(OutboxEvent.type).order_by(OutboxEvent.ordinal)))


async def moved(session: AsyncSession, payment: Payment) -> list[tuple[str, int]]:
    rows = await session.scalars(select(MoneyEvent).where(MoneyEvent.payment_id == payment.id))
    return [(row.kind, row.amount) for row in rows]


async def a_refund(session: AsyncSession, context: Context, patient: Patient) -> Refund:
    payment = await bill(session, await booked(session, context, patient))
    refund = await service.request_refund(session, SYSTEM, payment, RefundReason.DOCTOR_CANCELLED)
    assert refund is not None
    return refund


async def test_a_bill_adds_up_and_has_lines_and_tenders(session: AsyncSession, patient: Patient) -> None:
    payment = await an_open_bill(session, patient)
    await session.flush()

    assert (payment.amount, payment.state) == (3000, "created")
    assert [(line.name, line.amount) for line in await queries.lines(session, payment.id)] == [
        ("甲", 2500),
        ("乙", 500),
    ]
    assert await queries.tenders(session, payment.id) == {"wechat_cash": 3000}


async def test_tenders_that_do_not_add_up_open_no_bill(session: AsyncSession, patient: Patient) -> None:
    split = await an_open_bill(session, patient, wechat_cash=1000, ins_gov=2000)
    assert split.amount == 3000

    with pytest.raises(Invalid) as refused:
        await an_open_bill(session, patient, wechat_cash=1000, ins_gov=2001)
    assert refused.value.issues[0].code == "does_not_add_up"


async def test_somebody_elses_bill_is_not_there(session: AsyncSession, patient: Patient) -> None:
    payment = await an_open_bill(session, patient)
    stranger = await a_patient(session, OTHER)

    assert await queries.own_payment(session, patient.actor, payment.id) is payment
    with pytest.raises(NotFound):
        await queries.own_payment(session, stranger.actor, payment.id)


async def test_a_bill_can_be_paid_until_its_time_is_over(
    session: AsyncSession, patient: Patient, clock: SharedClock
) -> None:
    payment = await an_open_bill(session, patient)
    service.payable(payment, clock.now())
    moves_on(clock, minutes=21)

    with pytest.raises(Gone):
        service.payable(payment, clock.now())


async def test_a_paid_or_cancelled_bill_is_not_paid_again(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    paid = await bill(session, await booked(session, context, patient))
    given_up = await an_open_bill(session, patient)
    await service.cancel(session, SYSTEM, given_up)

    for payment in (paid, given_up):
        with pytest.raises(Conflict):
            service.payable(payment, clock.now())


async def test_proven_money_confirms_once_and_a_second_proof_changes_nothing(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    payment = await bill(session, await requested(session, patient))

    first = await service.confirm(session, context, payment.id, proof(payment))
    second = await service.confirm(session, context, payment.id, proof(payment))

    assert (first, second, payment.state) == (True, False, "confirmed")
    assert await moved(session, payment) == [("received", payment.amount)]
    assert (await kinds(session)).count("payment.confirmed") == 1
    assert (await kinds(session)).count("appointment.booked") == 1


@pytest.mark.parametrize("amount", [4999, 5001, 0])
async def test_a_wrong_amount_confirms_nothing_and_is_written_down(
    session: AsyncSession, context: Context, patient: Patient, amount: int
) -> None:
    """Design 2, row 6: amount or order mismatch."""
    payment = await bill(session, await requested(session, patient))

    assert not await service.confirm(session, context, payment.id, proof(payment, amount=amount))
    await session.flush()

    assert (payment.state, await moved(session, payment)) == ("created", [])
    line = (await session.scalars(select(AuditEvent).where(AuditEvent.code == "amount_mismatch"))).one()
    assert line.detail == {"expected": "5000", "got": str(amount)}


async def test_another_orders_proof_confirms_nothing(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    payment, other = (
        await bill(session, await requested(session, patient)),
        await an_open_bill(session, patient),
    )

    assert not await service.confirm(session, context, payment.id, proof(other, amount=payment.amount))
    assert payment.state == "created"


async def test_the_payment_time_is_the_providers(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    payment = await bill(session, await requested(session, patient))

    await service.confirm(session, context, payment.id, proof(payment, at=MORNING - timedelta(minutes=3)))

    assert payment.paid_at == MORNING - timedelta(minutes=3)
    assert payment.transaction_id.startswith("42")


async def test_an_order_placed_is_asked_about_soon(
    session: AsyncSession, patient: Patient, clock: SharedClock
) -> None:
    payment = await an_open_bill(session, patient)

    await service.submitted(session, patient.actor, payment.id, "wx-prepay", payment.out_trade_no)

    assert (payment.state, payment.prepay_id) == ("pending", "wx-prepay")
    intent = (await session.scalars(select(Intent).where(Intent.kind == service.SETTLE))).one()
    assert intent.due_at - clock.now() <= service.FIRST_LOOK


async def test_giving_up_closes_the_order_at_the_provider(session: AsyncSession, patient: Patient) -> None:
    payment = await an_open_bill(session, patient)

    await service.cancel(session, patient.actor, payment)
    await service.cancel(session, patient.actor, payment)

    assert payment.state == "cancelled"
    assert len((await session.scalars(select(Intent).where(Intent.kind == service.CLOSE))).all()) == 1


async def test_the_same_reason_twice_is_one_refund(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    refund = await a_refund(session, context, patient)
    payment = await session.get_one(Payment, refund.payment_id)

    assert await service.request_refund(session, SYSTEM, payment, RefundReason.DOCTOR_CANCELLED) is None
    assert (refund.state, refund.amount) == ("requested", payment.amount)


async def test_never_more_goes_back_than_came(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    refund = await a_refund(session, context, patient)
    payment = await session.get_one(Payment, refund.payment_id)

    assert await service.request_refund(session, SYSTEM, payment, RefundReason.PATIENT_CANCELLED) is None
    assert len(await queries.refunds(session, payment.id)) == 1


async def test_a_refund_the_provider_closed_may_be_asked_for_anew(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    refund = await a_refund(session, context, patient)
    payment = await session.get_one(Payment, refund.payment_id)
    await service.refund_answered(session, context, refund.id, an_answer(refund, "CLOSED"))

    again = await service.request_refund(session, SYSTEM, payment, RefundReason.PATIENT_CANCELLED)

    assert again is not None
    assert again.amount == payment.amount


async def test_nothing_goes_back_of_what_never_came_or_by_a_rule_of_nothing(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    unpaid = await an_open_bill(session, patient)
    assert await service.request_refund(session, SYSTEM, unpaid, RefundReason.DECLINED) is None

    paid = await bill(session, await booked(session, context, patient))
    assert await service.request_refund(session, SYSTEM, paid, RefundReason.NO_SHOW) is None


async def test_a_refund_counts_when_the_provider_proves_it(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    refund = await a_refund(session, context, patient)
    payment = await session.get_one(Payment, refund.payment_id)

    for status, state in (("PROCESSING", "processing"), ("PROCESSING", "processing"), ("SUCCESS", "succeeded"),
                          ("SUCCESS", "succeeded"), ("PROCESSING", "succeeded"), ("CLOSED", "succeeded")):  # fmt: skip
        await service.refund_answered(session, context, refund.id, an_answer(refund, status))
        assert refund.state == state

    assert balance(await moved(session, payment)) == 0
    assert (await kinds(session)).count("refund.succeeded") == 1


@pytest.mark.parametrize("before", [[], ["PROCESSING"]])
async def test_an_abnormal_refund_may_still_arrive(
    session: AsyncSession, context: Context, patient: Patient, before: list[str]
) -> None:
    refund = await a_refund(session, context, patient)
    for status in [*before, "ABNORMAL"]:
        await service.refund_answered(session, context, refund.id, an_answer(refund, status))
    assert refund.state == "abnormal"

    await service.refund_answered(session, context, refund.id, an_answer(refund, "SUCCESS"))
    assert refund.state == "succeeded"


@pytest.mark.parametrize("before", [[], ["PROCESSING"], ["PROCESSING", "ABNORMAL"]])
async def test_a_closed_refund_is_closed_from_wherever_it_was(
    session: AsyncSession, context: Context, patient: Patient, before: list[str]
) -> None:
    refund = await a_refund(session, context, patient)
    for status in [*before, "CLOSED"]:
        await service.refund_answered(session, context, refund.id, an_answer(refund, status))

    assert refund.state == "closed"
    assert "refund.succeeded" not in await kinds(session)


@pytest.mark.parametrize("wrong", [{"amount": 1}, {"number": "another"}])
async def test_a_receipt_for_something_else_is_a_conflict(
    session: AsyncSession, context: Context, patient: Patient, wrong: dict[str, int | str]
) -> None:
    refund = await a_refund(session, context, patient)

    with pytest.raises(Conflict) as refused:
        await service.refund_answered(session, context, refund.id, an_answer(refund, "SUCCESS", **wrong))  # type: ignore[arg-type]

    assert refused.value.code == "refund_mismatch"
    assert refund.state == "requested"


async def test_what_a_confirmed_payment_tells_the_supervisor_has_its_tenders(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await requested(session, patient)
    payment = await pays(session, context, row)

    event = (await session.scalars(select(OutboxEvent).where(OutboxEvent.type == "payment.confirmed"))).one()
    assert event.stream == f"visit:{row.id}"
    assert event.payload["tenders"] == {"wechat_cash": payment.amount}
    assert (await visit_of(session, row)).state == "planned"
