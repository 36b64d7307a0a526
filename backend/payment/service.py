"""Opening bills, confirming what the provider proved, asking for refunds. No call to the provider happens here."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm.service import over, ring
from backend.context import Context
from backend.outside.wechat_pay import RefundAnswer, Transaction
from backend.patient import queries as patients
from backend.payment import queries
from backend.payment.model import HOSPITAL, FeeLine, MoneyEvent, Payment, Refund, RefundPart, Remedy, Tender
from backend.payment.rules import Line, RefundReason, next_look, rule_for, tender_issues, total
from backend.payment.states import DEAD, PaymentState, RefundState
from backend.payment.tenders import CASH, Proven, Receipt, remaining, take_back
from backend.writeback.service import write_back_refund
from contracts import events
from contracts.money import yuan
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Gone, Invalid
from foundation.ids import new_id

SETTLE = "payment.settle"
CLOSE = "payment.close"
REFUND = "refund.drive"
REDIRECT = "refund.redirect"
ALARM = "refund.alarm"
LATE = "refund_late"
DESK = "desk:refunds"
"""Stream of the refunds that wait for a person."""
FIRST_LOOK = timedelta(seconds=next_look(0))
OF_THE_MERCHANT = "商户"
"""How WeChat Pay begins the account that a refund went to when that is the merchant's own."""
MERCHANT = "wechat_pay"
"""Subject of alarms about the merchant's account as a whole."""


async def open_payment(
    session: AsyncSession, *, subject_kind: str, subject_id: UUID, stream: str, account_id: UUID, person_id: UUID,
    lines: Sequence[Line], description: str, expires_at: datetime, tenders: Mapping[str, int] | None = None,
) -> Payment:  # fmt: skip
    """A bill with its lines and tenders. `Invalid` when the tenders do not add up."""
    amount = total(lines)
    parts = tenders or {CASH: amount}
    if issues := tender_issues(amount, parts):
        raise Invalid(issues=issues)
    payment_id = new_id()
    payment = Payment(
        id=payment_id, subject_kind=subject_kind, subject_id=subject_id, stream=stream, account_id=account_id,
        person_id=person_id, amount=amount, description=description, price_version=lines[0].version,
        out_trade_no=payment_id.hex, made_at=clock_of(session).now(), expires_at=expires_at,
    )  # fmt: skip
    session.add(payment)
    await session.flush()
    session.add_all(
        FeeLine(
            payment_id=payment_id, code=line.code, name=line.name, quantity=line.quantity, unit_amount=line.unit,
            amount=line.amount, price_version=line.version,
        )
        for line in lines
    )  # fmt: skip
    session.add_all(Tender(payment_id=payment_id, kind=kind, amount=part) for kind, part in parts.items())
    return payment


def payable(payment: Payment, now: datetime) -> None:
    """`Conflict` or `Gone` when the bill cannot be paid any more."""
    if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        raise Conflict("该订单已支付或已取消", code="payment_not_open")
    if now >= payment.expires_at:
        raise Gone("支付时间已过，请重新下单", code="payment_expired")


async def submitted(
    session: AsyncSession, actor: Actor, payment_id: UUID, prepay_id: str, out_trade_no: str
) -> Payment:
    """The provider has the order. `Conflict` when she has chosen another way meanwhile: nobody must pay that order.

    A bill that was given up while the order was placed stays given up; the order is closed by a job.
    """
    payment = await lock(session, Payment, payment_id)
    if payment.state in (PaymentState.CANCELLED, PaymentState.FAILED):
        payment.prepay_id = prepay_id
        await intend(session, CLOSE, payment_id)
        return payment
    if guarded("order_number") and payment.out_trade_no != out_trade_no:
        raise Conflict("支付方式已更改，请刷新后重试", code="payment_way_changed")
    if payment.state == PaymentState.CREATED:
        await advance(session, payment, "submit", actor, prepay_id=prepay_id)
    else:
        payment.prepay_id = prepay_id
    payment.placed_at = clock_of(session).now()
    await intend(session, SETTLE, payment_id, due=clock_of(session).now() + FIRST_LOOK)
    return payment


async def pay_by(
    session: AsyncSession, payment: Payment, parts: Mapping[str, int], out_trade_no: str = ""
) -> None:
    """An open, locked bill is paid by these tenders from now on, under a new number where one is given. `Invalid`."""
    if issues := tender_issues(payment.amount, parts):
        raise Invalid(issues=issues)
    if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        raise Conflict("该订单已支付或已取消", code="payment_not_open")
    await session.execute(delete(Tender).where(Tender.payment_id == payment.id))
    session.add_all(
        Tender(payment_id=payment.id, kind=kind, amount=part) for kind, part in parts.items() if part
    )
    if out_trade_no:
        payment.out_trade_no, payment.prepay_id = out_trade_no, ""
    await session.flush()


async def confirm(session: AsyncSession, context: Context, payment_id: UUID, proof: Transaction) -> bool:
    """Money arrived, says WeChat Pay's answer `proof`, and it is all of the bill."""
    return await received(session, context, payment_id, receipt_of(proof))


def receipt_of(proof: Transaction) -> Receipt:
    """Of a bill that is paid by WeChat alone."""
    part = Proven(proof.amount.total, proof.transaction_id)
    return Receipt(proof.out_trade_no, proof.transaction_id, {CASH: part}, proof.success_time)


async def received(session: AsyncSession, context: Context, payment_id: UUID, receipt: Receipt) -> bool:
    """Providers proved a receipt. Order and each tender must be ours to the fen; a second proof changes nothing."""
    payment = await session.get_one(Payment, payment_id)
    if guarded("row_lock"):
        await lock_stream(session, payment.stream)
    payment = await lock(session, Payment, payment_id)
    tenders = {kind: part for kind, part in (await queries.tenders(session, payment.id)).items() if part}
    ours = (payment.out_trade_no, tenders, payment.amount)
    if (receipt.out_trade_no, receipt.amounts, sum(tenders.values())) != ours:
        audit(
            session, SYSTEM, "payment.confirm", "payment", payment.id, outcome="refused", code="amount_mismatch",
            detail={"expected": str(payment.amount), "got": str(sum(receipt.amounts.values()))},
        )  # fmt: skip
        got = f"应收 {yuan(payment.amount)} 元，实收 {yuan(sum(receipt.amounts.values()))} 元"
        await ring(session, "payment_amount_mismatch", payment.id, got, link=f"/desk/payments/{payment.id}")
        return False
    paid_at = receipt.paid_at or clock_of(session).now()
    person = await patients.person(session, payment.person_id)
    snapshot = events.Money(payment.amount, queries.WECHAT_CHANNEL, receipt.number, payment.price_version)
    event = events.PaymentConfirmed(
        payment_id=payment.id, subject_kind=payment.subject_kind, subject_id=payment.subject_id,
        person=patients.snapshot(person), payment=snapshot, paid_at=paid_at,
        tenders=tenders,
    )  # fmt: skip
    changes = {"transaction_id": receipt.number, "paid_at": paid_at}
    if not await advance(session, payment, "confirm", SYSTEM, event=event, **changes):
        return False
    for tender, part in receipt.parts.items():
        await record(session, payment.id, "received", tender, part, paid_at)
    await context.wiring.on_paid[payment.subject_kind](session, context, payment.subject_id)
    await _moved(session, context, payment.id)
    return True


def fits(payment: Payment, proof: Transaction) -> bool:
    """Whether the provider speaks of this order and this amount."""
    return (proof.out_trade_no, proof.amount.total) == (payment.out_trade_no, payment.amount)


async def cancel(session: AsyncSession, actor: Actor, payment: Payment) -> None:
    """Give up an unpaid bill; the order is closed at the provider by a job, which notices money that was faster."""
    if payment.state in (PaymentState.CREATED, PaymentState.PENDING):
        await advance(session, payment, "cancel", actor)
        await intend(session, CLOSE, payment.id)


async def request_refund(
    session: AsyncSession, actor: Actor, payment: Payment, reason: RefundReason, *, note: str = "",
    at_most: int | None = None,
) -> Refund | None:  # fmt: skip
    """Ask for the share that the rule for `reason` gives back, `at_most` so much; None when that is nothing.

    The rules of the day on which the bill was opened judge it (practice.md 17). The same reason twice is one refund,
    and never does more go back than is left after earlier refunds. Where the rule names an approver, the money waits.
    """
    payment = await lock(session, Payment, payment.id)
    if payment.state != PaymentState.CONFIRMED:
        return None
    rule, version = rule_for(reason, local(payment.made_at).date())
    left = remaining(
        await queries.tenders(session, payment.id), await queries.given_back(session, payment.id)
    )
    share = rule.share(payment.amount) - await queries.gone_before(session, payment.id, reason.value)
    amount = min(share, sum(left.values()))
    if at_most is not None:
        amount = min(amount, at_most)
    cited = {"reason": reason.value, "rule": rule.id, "version": version}
    if amount <= 0:
        audit(session, actor, "refund.nothing_due", "payment", payment.id, detail=cited)
        return None
    now, refund_id = clock_of(session).now(), new_id()
    waits = timedelta(hours=rule.approve_within_hours) if rule.approve_within_hours else None
    statement = insert(Refund).values(
        id=refund_id, hospital_id=hospital_id(), payment_id=payment.id, stream=payment.stream,
        state=RefundState.PROPOSED if rule.approver else RefundState.REQUESTED, reason=reason.value, amount=amount,
        out_refund_no=refund_id.hex, provider_refund_id="", rule_id=rule.id, rule_version=version, note=note or None,
        requested_by=actor.id, requested_at=now, approve_by=now + waits if waits else None,
        settle_by=None if waits else now + timedelta(hours=rule.settle_within_hours),
    )  # fmt: skip
    made = await session.scalar(statement.on_conflict_do_nothing().returning(Refund.id))
    if made is None:
        return None
    audit(session, actor, "refund.request", "payment", payment.id, detail=cited)
    session.add_all(
        RefundPart(refund_id=made, tender=tender, amount=part)
        for tender, part in take_back(amount, left).items()
    )
    refund = await session.get_one(Refund, made)
    if rule.approver:
        touch(session, DESK)
    else:
        await intend(session, REFUND, made)
    await intend(session, ALARM, made, due=refund.approve_by or refund.settle_by)
    return refund


async def refund_answered(
    session: AsyncSession, context: Context, refund_id: UUID, answer: RefundAnswer
) -> Refund:
    """Move the refund to where WeChat Pay says its cash is; success is only what the provider's receipt proves."""
    refund = await _locked(session, refund_id)
    parts = await queries.refund_parts(session, refund_id)
    cash, open_elsewhere = (
        parts.get(CASH),
        any(part.proven_at is None for tender, part in parts.items() if tender != CASH),
    )
    if cash is None or (answer.out_refund_no, answer.amount.refund) != (refund.out_refund_no, cash.amount):
        raise Conflict("退款金额与申请不符", code="refund_mismatch")
    if answer.status == "SUCCESS" and refund.state != RefundState.SUCCEEDED:
        if answer.user_received_account.startswith(OF_THE_MERCHANT):
            await _at_the_hospital(session, refund)
        proven = {CASH: Proven(cash.amount, answer.refund_id)}
        await given_back(session, context, refund, proven, answer.success_time)
    elif answer.status == "PROCESSING" and refund.state == RefundState.REQUESTED:
        await advance(session, refund, "send", SYSTEM, provider_refund_id=answer.refund_id)
    elif answer.status == "PROCESSING" and refund.state == RefundState.ABNORMAL and cash.proven_at is None:
        await advance(session, refund, "redirect", SYSTEM)
        await over(session, "refund_abnormal", refund.id)
    elif answer.status == "ABNORMAL" and refund.state in (RefundState.REQUESTED, RefundState.PROCESSING):
        await advance(session, refund, "mark_abnormal", SYSTEM, provider_refund_id=answer.refund_id)
        await _abnormal_again(session, refund)
    elif (
        answer.status == "CLOSED"
        and refund.state not in (RefundState.SUCCEEDED, *DEAD)
        and not open_elsewhere
    ):
        await advance(session, refund, "close", SYSTEM)
        await over(session, "refund_abnormal", refund.id)
        words = f"{yuan(cash.amount)} 元，退款单号 {refund.out_refund_no}"
        await ring(session, "refund_closed", refund.id, words, link=desk_of(refund))
    return refund


def desk_of(refund: Refund) -> str:
    """The page on which a person deals with it."""
    return f"/desk/refunds/{refund.id}"


async def _abnormal_again(session: AsyncSession, refund: Refund) -> None:
    """It cannot reach the account: a person's case, and if one has tried another card already, that came to nothing."""
    remedy = await queries.remedy(session, refund.id)
    if remedy is not None and remedy.accepted_at is not None:
        remedy.done_at, remedy.outcome = clock_of(session).now(), "仍未到账"
    words = f"{yuan(refund.amount)} 元未能退回付款账户，退款单号 {refund.out_refund_no}"
    await ring(session, "refund_abnormal", refund.id, words, link=desk_of(refund))
    touch(session, DESK)


async def parts_given_back(
    session: AsyncSession, context: Context, refund_id: UUID, proven: Mapping[str, Proven], at: datetime
) -> Refund:
    """The insurance's receipt for its parts of a refund."""
    refund = await _locked(session, refund_id)
    if refund.state == RefundState.REQUESTED:
        number = next(iter(proven.values())).reference
        await advance(session, refund, "send", SYSTEM, provider_refund_id=number)
    await given_back(session, context, refund, proven, at)
    return refund


async def given_back(
    session: AsyncSession, context: Context, refund: Refund, proven: Mapping[str, Proven], at: datetime | None
) -> None:
    """A provider's receipt for some parts of a locked refund. It has succeeded when every part is proven.

    A second receipt changes nothing; one about another amount is refused.
    """
    parts, moment = await queries.refund_parts(session, refund.id), at or clock_of(session).now()
    for tender, proof in proven.items():
        part = parts.get(tender)
        if part is None or part.amount != proof.amount:
            raise Conflict("退款金额与申请不符", code="refund_mismatch")
        if part.proven_at is None:
            part.provider_reference, part.proven_at = proof.reference, moment
            await record(session, refund.payment_id, "refunded", tender, proof, moment)
    if not all(part.proven_at for part in parts.values()):
        return
    remedy = await queries.remedy(session, refund.id)
    if remedy is not None and remedy.way == HOSPITAL and remedy.sent_at is not None:
        await _with_the_hospital(session, refund, remedy, parts[CASH].amount, moment)
        return
    if remedy is not None:
        remedy.done_at, remedy.outcome = moment, remedy.outcome or "已到账"
    await succeeded(session, context, refund, moment)


async def _at_the_hospital(session: AsyncSession, refund: Refund) -> None:
    """WeChat Pay says that the money went to the merchant, whether we asked for that or somebody did on its own platform."""
    now, remedy = clock_of(session).now(), await queries.remedy(session, refund.id)
    if remedy is not None and remedy.way == HOSPITAL:
        remedy.sent_at = remedy.sent_at or now
        return
    if remedy is not None:
        remedy.done_at, remedy.outcome = now, "款项已到医院账户"
        await session.flush()
    session.add(Remedy(refund_id=refund.id, way=HOSPITAL, asked_at=now, sent_at=now, accepted_at=now))
    await session.flush()


async def _with_the_hospital(
    session: AsyncSession, refund: Refund, remedy: Remedy, cash: int, moment: datetime
) -> None:
    """WeChat Pay has given the money to the hospital, who owes it to the patient now: not a success before she has it."""
    if remedy.proven_at is not None:
        return
    remedy.proven_at = moment
    if refund.state in (RefundState.REQUESTED, RefundState.PROCESSING):
        await advance(session, refund, "owe", SYSTEM)
    words = f"{yuan(cash)} 元已退到医院账户，请交付患者并登记凭证"
    await ring(session, "refund_to_hand_over", refund.id, words, link=desk_of(refund))
    touch(session, DESK)


async def _locked(session: AsyncSession, refund_id: UUID) -> Refund:
    refund = await session.get_one(Refund, refund_id)
    await lock_stream(session, refund.stream)
    return await lock(session, Refund, refund_id)


async def succeeded(
    session: AsyncSession, context: Context, refund: Refund, at: datetime, *, verb: str = "succeed",
    actor: Actor = SYSTEM,
) -> None:  # fmt: skip
    """Every part of a locked refund is proven, and the patient has it."""
    parts = await queries.refund_parts(session, refund.id)
    number = parts[CASH if CASH in parts else next(iter(parts))].provider_reference
    payment = await session.get_one(Payment, refund.payment_id)
    person = await patients.person(session, payment.person_id)
    event = events.RefundSucceeded(
        refund_id=refund.id, payment_id=payment.id, subject_kind=payment.subject_kind, subject_id=payment.subject_id,
        person=patients.snapshot(person), amount=refund.amount, reason=refund.reason,
        provider_refund_number=number, succeeded_at=at,
    )  # fmt: skip
    changes = {"provider_refund_id": number, "succeeded_at": at}
    if await advance(session, refund, verb, actor, event=event, **changes):
        await withdraw(session, ALARM, refund.id)
        await over(session, LATE, refund.id)
        for kind in ("refund_abnormal", "refund_closed", "refund_refused", "refund_to_hand_over"):
            await over(session, kind, refund.id)
        await write_back_refund(session, payment.id, refund.id)
        handler = context.wiring.on_refunded.get(payment.subject_kind)
        if handler is not None:
            await handler(session, context, payment.subject_id)
        await _moved(session, context, payment.id)


async def _moved(session: AsyncSession, context: Context, payment_id: UUID) -> None:
    for told in context.wiring.on_money:
        await told(session, context, payment_id)


async def record(
    session: AsyncSession, payment_id: UUID, kind: str, tender: str, proof: Proven, at: datetime
) -> None:
    """Append what really moved, with the provider's own time of it: its books are compared by their days."""
    session.add(
        MoneyEvent(
            payment_id=payment_id, kind=kind, tender=tender, amount=proof.amount, provider_reference=proof.reference,
            at=at,
        )
    )  # fmt: skip
    await session.flush()
