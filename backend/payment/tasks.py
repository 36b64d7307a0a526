"""Jobs that talk to WeChat Pay: ask what became of an order, close it, drive a refund."""

from datetime import timedelta
from uuid import UUID

from backend.context import Context
from backend.outside.wechat_pay import PayRefused, Transaction
from backend.payment import queries, refunding, service
from backend.payment.model import Payment, Refund
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.payment.states import DEAD, PaymentState, RefundState
from backend.payment.tenders import CASH
from foundation.db.intents import Handler, TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Conflict

PAID = ("SUCCESS", "REFUND")
"""Trade states in which the money was ours."""

POLL = (2, 5, 10, 20, 30, 60, 120, 300)
"""Seconds between questions about a silent order; the callback usually comes first."""


def notify_url(context: Context, kind: str) -> str:
    """Where WeChat Pay calls back."""
    return f"{context.settings.notify_url}/notify/wechat-pay/{kind}"


async def settle(work: Work[Context]) -> None:
    """Ask the provider; confirm, keep waiting, or give up when the time is over."""
    context = work.context
    async with unit_of_work(context.db) as session:
        payment = await session.get_one(Payment, work.subject)
    if payment.state == PaymentState.CONFIRMED:
        return
    insured = context.wiring.insured
    if insured is not None and await insured.settle(context, payment.id):
        return
    found = await context.pay.query(payment.out_trade_no)
    if found is not None and found.trade_state in PAID:
        await _confirm(context, payment, found)
        return
    if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        return
    waited = int((context.clock.now() - payment.made_at).total_seconds())
    wait = next((step for step in POLL if step * 2 > waited), POLL[-1])
    raise TryLater("not paid yet", timedelta(seconds=wait))


async def close(work: Work[Context]) -> None:
    """Close a cancelled order; when the money was faster, settle it (it will be refunded)."""
    context = work.context
    async with unit_of_work(context.db) as session:
        payment = await session.get_one(Payment, work.subject)
    insured = context.wiring.insured
    if insured is not None and await insured.close(context, payment.id):
        return
    if payment.state == PaymentState.CONFIRMED or not payment.prepay_id:
        return
    try:
        await context.pay.close_order(payment.out_trade_no)
    except PayRefused as error:
        if error.code not in ("orderpaid", "order_paid", "trade_error", "invalid_request", "order_closed"):
            raise
        found = await context.pay.query(payment.out_trade_no)
        if found is not None and found.trade_state in PAID:
            await _confirm(context, payment, found)


async def _confirm(context: Context, payment: Payment, found: Transaction) -> None:
    """`Conflict` when the money is not ours to the fen: written down, and then a case for a person."""
    async with unit_of_work(context.db) as session:
        await service.confirm(session, context, payment.id, found)
    if not service.fits(payment, found):
        raise Conflict("支付金额与订单不符，请联系医院", code="amount_mismatch")


async def drive_refund(work: Work[Context]) -> None:
    """Send the refund (the same number each time) or ask where it is, until the provider's receipt is here."""
    context = work.context
    async with unit_of_work(context.db) as session:
        refund = await session.get_one(Refund, work.subject)
        open_parts = [
            tender
            for tender, part in (await queries.refund_parts(session, refund.id)).items()
            if part.proven_at is None
        ]
    if refund.state in (RefundState.SUCCEEDED, *DEAD, RefundState.PROPOSED):
        return
    refused: Exception | None = None
    if context.wiring.insured is not None and any(tender != CASH for tender in open_parts):
        try:
            await context.wiring.insured.refund(context, refund.id)
        except (AppError, TryLater) as error:  # whatever the insurance says, her cash goes back
            refused = error
    if CASH in open_parts:
        await _drive_cash(context, refund.id)
    if refused is not None:
        raise refused
    async with unit_of_work(context.db) as session:
        refund = await session.get_one(Refund, refund.id)
    if refund.state in (RefundState.REQUESTED, RefundState.PROCESSING):
        raise TryLater("refund is on its way", timedelta(seconds=60))
    if refund.state == RefundState.ABNORMAL:
        raise TryLater("refund is abnormal", timedelta(minutes=30))
    if refund.state == RefundState.CLOSED:
        raise Conflict("退款被微信支付关闭，需人工处理", code="refund_closed")


async def _drive_cash(context: Context, refund_id: UUID) -> None:
    """What goes back by WeChat Pay: its order knows the cash of the bill, not the whole."""
    async with unit_of_work(context.db) as session:
        refund = await session.get_one(Refund, refund_id)
        payment = await session.get_one(Payment, refund.payment_id)
        part = (await queries.refund_parts(session, refund.id))[CASH]
        total = (await queries.tenders(session, payment.id))[CASH]
    answer = await context.pay.query_refund(refund.out_refund_no)
    if answer is None:
        answer = await context.pay.refund(
            out_trade_no=payment.out_trade_no, out_refund_no=refund.out_refund_no, refund=part.amount, total=total,
            reason=REFUND_RULES[RefundReason(refund.reason)].words, notify_url=notify_url(context, "refund"),
        )  # fmt: skip
    async with unit_of_work(context.db) as session:
        await service.refund_answered(session, context, refund.id, answer)


async def alarm(work: Work[Context]) -> None:
    """Ring when the refund's deadline has passed."""
    async with unit_of_work(work.context.db) as session:
        await refunding.ring(session, work.subject)


HANDLERS: dict[str, Handler] = {
    service.ALARM: alarm,
    service.SETTLE: settle,
    service.CLOSE: close,
    service.REFUND: drive_refund,
}
