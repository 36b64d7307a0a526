"""Jobs that talk to WeChat Pay: ask what became of an order, close it, drive a refund."""

from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from backend.alarm.service import over, ring
from backend.context import Context
from backend.outside.wechat_pay import PayRefused, RefundAnswer, Transaction, UserCard
from backend.payment import queries, refunding, remedies, service
from backend.payment.model import USER_CARD, Payment, Refund, Remedy
from backend.payment.rules import REFUND_RULES, SELDOM, RefundReason, next_look, next_refund_look
from backend.payment.states import DEAD, PaymentState, RefundState
from backend.payment.tenders import CASH
from contracts.money import yuan
from foundation.db.guards import guarded
from foundation.db.intents import Handler, TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Conflict

PAID = ("SUCCESS", "REFUND")
"""Trade states in which the money was ours."""

OVER = ("CLOSED", "REVOKED", "PAYERROR")
"""Trade states in which nobody can pay any more."""

NO_MONEY = "not_enough"
"""WeChat Pay's word for a merchant's account that is empty: the same number again once there is money."""


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
    if insured is not None:
        if await insured.settle(context, payment.id):
            return
        await _still_numbered(context, payment)
    found = await context.pay.query(payment.out_trade_no)
    if found is not None and found.trade_state in PAID:
        await _confirm(context, payment, found)
        return
    if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        return
    age = (context.clock.now() - (payment.placed_at or payment.made_at)).total_seconds()
    raise TryLater("not paid yet", timedelta(seconds=next_look(age)))


async def _still_numbered(context: Context, payment: Payment) -> None:
    """`TryLater` when the bill has another number than before the insurance was asked: somebody else settled its order meanwhile.

    The cash part of an insurance order is paid under the number the bill had then, and would be taken for a wrong amount.
    """
    async with unit_of_work(context.db) as session:
        now = await session.get_one(Payment, payment.id)
    if guarded("bill_number") and now.out_trade_no != payment.out_trade_no:
        raise TryLater("the bill has another number by now", timedelta(seconds=1))


async def close(work: Work[Context]) -> None:
    """Close a cancelled order; when the money was faster, settle it (it will be refunded)."""
    context = work.context
    async with unit_of_work(context.db) as session:
        payment = await session.get_one(Payment, work.subject)
        if payment.state != PaymentState.CONFIRMED:
            for given_up in context.wiring.on_given_up:
                await given_up(session, context, payment.id)
    insured = context.wiring.insured
    if insured is not None and await insured.close(context, payment.id):
        return
    if payment.state == PaymentState.CONFIRMED or not payment.prepay_id:
        return
    try:
        await context.pay.close_order(payment.out_trade_no)
    except PayRefused as error:  # whatever it says, the order itself knows better
        found = await context.pay.query(payment.out_trade_no)
        if found is not None and found.trade_state in PAID:
            await _confirm(context, payment, found)
        elif found is not None and found.trade_state not in OVER:
            raise TryLater(f"not closed: {error.code}", timedelta(minutes=1)) from error


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
        if refund.state == RefundState.CLOSED and CASH in open_parts:
            await _look_again(context, refund)
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
        if isinstance(refused, AppError) and CASH in open_parts:
            await _until_cash_is_back(context, refund.id)
        raise refused
    async with unit_of_work(context.db) as session:
        refund = await session.get_one(Refund, refund.id)
    if refund.state in (RefundState.REQUESTED, RefundState.PROCESSING):
        age = (context.clock.now() - (refund.decided_at or refund.requested_at)).total_seconds()
        raise TryLater("refund is on its way", timedelta(seconds=next_refund_look(age)))
    if refund.state == RefundState.ABNORMAL and open_parts:
        raise TryLater("refund is abnormal", timedelta(seconds=SELDOM))


async def _until_cash_is_back(context: Context, refund_id: UUID) -> None:
    """A part that its provider refuses waits for a person, but not before the cash part is done."""
    async with unit_of_work(context.db) as session:
        refund = await session.get_one(Refund, refund_id)
        cash = (await queries.refund_parts(session, refund_id))[CASH]
    if cash.proven_at is None and refund.state in (RefundState.REQUESTED, RefundState.PROCESSING):
        age = (context.clock.now() - (refund.decided_at or refund.requested_at)).total_seconds()
        raise TryLater("cash part is on its way", timedelta(seconds=next_refund_look(age)))


async def _look_again(context: Context, refund: Refund) -> None:
    """Somebody woke a refund that was given up: it counts if it arrived after all."""
    answer = await context.pay.query_refund(refund.out_refund_no)
    if answer is not None and answer.status == "SUCCESS":
        async with unit_of_work(context.db) as session:
            await service.refund_answered(session, context, refund.id, answer)


async def _drive_cash(context: Context, refund_id: UUID) -> None:
    """What goes back by WeChat Pay: its order knows the cash of the bill, not the whole."""
    async with unit_of_work(context.db) as session:
        refund = await session.get_one(Refund, refund_id)
        payment = await session.get_one(Payment, refund.payment_id)
        part = (await queries.refund_parts(session, refund.id))[CASH]
        total = (await queries.tenders(session, payment.id))[CASH]
    answer = await context.pay.query_refund(refund.out_refund_no)
    if answer is None:
        try:
            answer = await context.pay.refund(
                out_trade_no=payment.out_trade_no, out_refund_no=refund.out_refund_no, refund=part.amount, total=total,
                reason=REFUND_RULES[RefundReason(refund.reason)].words, notify_url=notify_url(context, "refund"),
            )  # fmt: skip
        except PayRefused as error:
            await _refused(context, refund, part.amount, error)
        async with unit_of_work(context.db) as session:
            await over(session, "refund_not_enough", service.MERCHANT)
            await over(session, "refund_refused", refund.id)
    async with unit_of_work(context.db) as session:
        await service.refund_answered(session, context, refund.id, answer)


async def _refused(context: Context, refund: Refund, amount: int, error: PayRefused) -> NoReturn:
    """An empty account is filled again, and the refund waits for that; any other no is a person's case."""
    empty = error.code == NO_MONEY
    async with unit_of_work(context.db) as session:
        if empty:
            await ring(session, "refund_not_enough", service.MERCHANT, f"最近一笔 {yuan(amount)} 元")
        else:
            words = f"{yuan(amount)} 元，{error.detail}"
            await ring(session, "refund_refused", refund.id, words, link=service.desk_of(refund))
    if empty:
        raise TryLater("the merchant has no money", timedelta(seconds=SELDOM)) from error
    raise error


async def redirect_refund(work: Work[Context]) -> None:
    """Send an abnormal refund elsewhere, once: WeChat Pay is asked first where it is, and after silence again."""
    context = work.context
    async with unit_of_work(context.db) as session:
        remedy = await session.get_one(Remedy, work.subject)
        refund = await session.get_one(Refund, remedy.refund_id)
    if remedy.done_at is not None or remedy.accepted_at is not None:
        return
    answer = await context.pay.query_refund(refund.out_refund_no)
    if answer is None:
        raise Conflict("微信支付没有这笔退款", code="refund_unknown")
    if answer.status == "ABNORMAL":
        async with unit_of_work(context.db) as session:
            await remedies.sending(session, remedy.id)
        try:
            answer = await _redirect(context, remedy, answer)
        except PayRefused as error:
            async with unit_of_work(context.db) as session:
                await remedies.came_to_nothing(session, remedy.id, error.detail)
            return
    elif remedy.sent_at is None:
        async with unit_of_work(context.db) as session:
            await remedies.came_to_nothing(session, remedy.id, "无需改退，款项已有结果")
        return
    async with unit_of_work(context.db) as session:
        await remedies.accepted(session, remedy.id)
        await service.refund_answered(session, context, refund.id, answer)


async def _redirect(context: Context, remedy: Remedy, abnormal: RefundAnswer) -> RefundAnswer:
    card = None
    if remedy.way == USER_CARD:
        card = UserCard(remedy.bank_type, remedy.card_number or "", remedy.card_holder or "")
    return await context.pay.redirect_refund(
        refund_id=abnormal.refund_id, out_refund_no=abnormal.out_refund_no, card=card
    )


async def alarm(work: Work[Context]) -> None:
    """Ring when the refund's deadline has passed."""
    async with unit_of_work(work.context.db) as session:
        await refunding.ring(session, work.subject)


HANDLERS: dict[str, Handler] = {
    service.REDIRECT: redirect_refund,
    service.ALARM: alarm,
    service.SETTLE: settle,
    service.CLOSE: close,
    service.REFUND: drive_refund,
}
