"""Jobs and calls of an insurance payment: ask what became of it, end it, return cash, take a claim back, give parts back."""

from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Account
from backend.alarm.service import over, ring
from backend.context import Context
from backend.insurance import queries, service
from backend.insurance.model import InsuranceOrder
from backend.insurance.states import InsuranceState
from backend.outside.insurance import GivenBack, InsuranceRefused, Mixed, MixedOrder, OrderType, Part, Split
from backend.outside.wechat_pay import PayRefused, RefundAnswer, Transaction
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.payment.model import Payment, Refund
from backend.payment.rulebook import RefundReason
from backend.payment.rules import REFUND_RULES, SELDOM, next_look
from backend.payment.service import MERCHANT, OF_THE_MERCHANT
from backend.payment.states import PaymentState
from backend.payment.tasks import NO_MONEY, OVER, PAID, notify_url
from backend.payment.tenders import INSURANCE
from contracts.money import yuan
from foundation.db.intents import Handler, TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, Unavailable

MONEY_WAS_FASTER = ("orderpaid", "order_paid", "trade_error", "invalid_request")
NEVER_PLACED = ("order_not_exist", "resource_not_exists", "order_closed")
UNPAID = "医保没有完成支付"
DESK_OF = "/desk/payments/{}"
NOT_ENOUGH = "refund_not_enough"
SETTLED = "insurance_settled_after_all"
REFUSES = "insurance_refuses_refund"


async def settle(context: Context, payment_id: UUID) -> bool:
    """What became of the bill's insurance order; False when it has none that runs. `TryLater` while nobody knows."""
    async with unit_of_work(context.db) as session:
        order = await queries.running(session, payment_id)
        payment = await session.get_one(Payment, payment_id)
    if order is None or order.agreed_at is None:
        return False
    mixed = await context.insurance.query(order.out_trade_no)
    if mixed is not None and await _ended(context, order, mixed):
        return True
    if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        return True
    age = (context.clock.now() - order.agreed_at).total_seconds()
    raise TryLater("insurance order is not paid yet", timedelta(seconds=next_look(age)))


async def _ended(context: Context, order: InsuranceOrder, mixed: Mixed) -> bool:
    """Act on what the provider says, if that is an end."""
    if mixed.whole in (Part.SUCCESS, Part.REFUND):
        await _paid(context, order, mixed)
        return True
    if mixed.whole is not Part.FAIL:
        return False
    words = f"{UNPAID}：{mixed.reason}" if mixed.reason else UNPAID
    if mixed.cash_part is Part.SUCCESS:
        cash = await _cash(context, order)
        async with unit_of_work(context.db) as session:
            await service.return_cash(session, order.id, words, cash)
    else:
        async with unit_of_work(context.db) as session:
            await service.failed(session, order.id, words)
    return True


async def _paid(context: Context, order: InsuranceOrder, mixed: Mixed) -> None:
    """Amounts that nobody agreed to are written down for a person, and confirm nothing."""
    cash = await _cash(context, order) if mixed.cash else None
    try:
        async with unit_of_work(context.db) as session:
            await service.paid(session, context, order.id, mixed, cash)
    except Conflict as error:
        if error.code == "amount_mismatch":
            async with unit_of_work(context.db) as session:
                words = f"医保混合订单 {order.out_trade_no}"
                await ring(
                    session,
                    "payment_amount_mismatch",
                    order.payment_id,
                    words,
                    link=DESK_OF.format(order.payment_id),
                )
        raise


async def _cash(context: Context, order: InsuranceOrder) -> Transaction:
    """The paid cash part by WeChat Pay's own query: the mixed order does not name its transaction."""
    found = await context.pay.query(order.out_trade_no)
    if found is None or found.trade_state not in PAID:
        raise Unavailable("微信支付尚未确认自费部分", code="cash_part_unknown")
    return found


async def close(context: Context, payment_id: UUID) -> bool:
    """The bill was given up: end its insurance order. False when it has none that runs."""
    async with unit_of_work(context.db) as session:
        order = await queries.running(session, payment_id)
    if order is None:
        return False
    try:
        await end(context, order)
    except StillPaying as running:
        raise TryLater("insurance order is being paid", timedelta(seconds=20)) from running
    return True


class StillPaying(Conflict):
    """Somebody has begun to pay, and nobody knows yet whether it is done."""

    code = "payment_running"


async def end(context: Context, order: InsuranceOrder) -> bool:
    """Make sure that the order cannot be paid any more, or learn that it was: False.

    The cash order is closed first: without it a mixed order cannot be paid. An order that is all insurance is ended by
    taking the claim back. `Unavailable` or `StillPaying` while neither can be proven.
    """
    if order.agreed_at is not None:
        mixed = await context.insurance.query(order.out_trade_no)
        if mixed is not None and await _ended(context, order, mixed):
            return mixed.whole is Part.FAIL
        closed = (
            await _close_cash(context, order)
            if order.cash + order.freight
            else await _revoked(context, order)
        )
        mixed = await context.insurance.query(order.out_trade_no)
        cash_taken = mixed is not None and mixed.cash_part is Part.SUCCESS
        if mixed is not None and (cash_taken or mixed.whole is not Part.FAIL):
            if await _ended(context, order, mixed):
                return mixed.whole is Part.FAIL
            if not closed:
                raise StillPaying("正在确认支付结果，请稍候")
    async with unit_of_work(context.db) as session:
        given_up = await service.given_up(session, order)
    if not given_up:
        raise StillPaying("医保支付已改变，请刷新后重试")
    return True


async def _close_cash(context: Context, order: InsuranceOrder) -> bool:
    """Whether the cash part is closed for certain; False when it was paid."""
    try:
        await context.pay.close_order(order.out_trade_no)
    except PayRefused as error:
        if error.code in MONEY_WAS_FASTER:
            return False
        if error.code not in NEVER_PLACED:
            raise
    return True


async def _revoked(context: Context, order: InsuranceOrder) -> bool:
    return await context.insurance.revoke(order.pay_order_id)


async def place(context: Context, order: InsuranceOrder, actor_openid: str) -> tuple[Mixed, str]:
    """Both orders at WeChat: the cash part, then the mixed one. Again, after silence, gives the same."""
    async with unit_of_work(context.db) as session:
        payment = await session.get_one(Payment, order.payment_id)
        person = await patients.person(session, payment.person_id)
    prepay_id, cash = order.prepay_id, order.cash + order.freight
    if cash and not prepay_id:
        prepay_id = await context.pay.order(
            out_trade_no=order.out_trade_no, amount=cash, description=payment.description, openid=actor_openid,
            notify_url=notify_url(context, "payment"), expires=payment.expires_at,
        )  # fmt: skip
        async with unit_of_work(context.db) as session:
            prepay_id = await service.keep_prepay(session, order.id, prepay_id)
    assert order.quoted_at is not None
    mixed = await context.insurance.place(
        MixedOrder(
            out_trade_no=order.out_trade_no, serial_no=order.serial_no, order_type=OrderType(order.order_type),
            openid=actor_openid, name=person.name, id_number=person.id_number, pay_order_id=order.pay_order_id,
            pay_auth_no=order.pay_auth_no, location=order.location, quoted_at=order.quoted_at, split=order.split,
            freight=order.freight, prepay_id=prepay_id, callback_url=notify_url(context, "insurance"),
        )
    )  # fmt: skip
    return mixed, prepay_id


async def openid_of(context: Context, account_id: UUID) -> str:
    """The phone of an account."""
    async with unit_of_work(context.db) as session:
        return (await session.get_one(Account, account_id)).openid


async def refund(context: Context, refund_id: UUID) -> None:
    """Drive the insurance's parts of a refund; `TryLater` while they are on their way, a refusal is a case for a person."""
    async with unit_of_work(context.db) as session:
        row = await session.get_one(Refund, refund_id)
        order = await queries.paid(session, row.payment_id)
        parts = await payments.refund_parts(session, refund_id)
    wanted = {tender: parts[tender].amount for tender in INSURANCE if tender in parts}
    if order is None or not wanted:
        raise Conflict("没有医保支付可以退", code="insurance_not_paid")
    split = Split(wanted.get("ins_gov", 0), wanted.get("ins_self", 0), wanted.get("ins_other", 0), 0)
    words = REFUND_RULES[RefundReason(row.reason)].words
    try:
        back = await context.insurance.refund(order.pay_order_id, row.out_refund_no, split, words)
    except InsuranceRefused as error:
        async with unit_of_work(context.db) as session:
            told = f"{yuan(split.insurance)} 元，{error.detail}"
            await ring(session, REFUSES, refund_id, told, link=f"/desk/refunds/{refund_id}")
        raise
    if back.refunded_at is None:
        raise TryLater("insurance refund is on its way", timedelta(seconds=60))
    async with unit_of_work(context.db) as session:
        await over(session, REFUSES, refund_id)
        await service.given_back(session, context, refund_id, order, back)


async def return_cash(work: Work[Context]) -> None:
    """The cash of an order that the insurance did not pay: sent back under one number until the receipt is here."""
    context = work.context
    async with unit_of_work(context.db) as session:
        order = await session.get_one(InsuranceOrder, work.subject)
    if order.state != InsuranceState.RETURNING:
        return
    cash, number = order.cash + order.freight, order.refund_no
    answer = await context.pay.query_refund(number)
    if answer is None:
        try:
            answer = await context.pay.refund(
                out_trade_no=order.out_trade_no, out_refund_no=number, refund=cash, total=cash, reason=UNPAID,
                notify_url=notify_url(context, "refund"),
            )  # fmt: skip
        except PayRefused as error:
            await _not_returned(context, order, error)
        async with unit_of_work(context.db) as session:
            await over(session, NOT_ENOUGH, MERCHANT)
            for kind in ("returned_cash_closed", "returned_cash_refused"):
                await over(session, kind, order.id)
    if answer.amount.refund != cash:
        raise Conflict("退款金额与申请不符", code="refund_mismatch")
    await _returning(context, order, answer)


async def _returning(context: Context, order: InsuranceOrder, answer: RefundAnswer) -> None:
    """Where WeChat Pay says that it is."""
    async with unit_of_work(context.db) as session:
        if answer.status != "ABNORMAL":
            await over(session, "returned_cash_abnormal", order.id)
        if answer.status == "SUCCESS":
            await service.cash_returned(session, order.id, answer)
            if answer.user_received_account.startswith(OF_THE_MERCHANT):
                await _rings(session, order, "returned_cash_at_hospital")
            return
        if answer.status == "CLOSED":
            await service.closed_on_its_way(session, order.id, answer.out_refund_no)
            await _rings(session, order, "returned_cash_closed")
        elif answer.status == "ABNORMAL":
            await _rings(session, order, "returned_cash_abnormal")
    if answer.status == "CLOSED":
        raise Conflict("自费部分退款被微信支付关闭，需人工处理", code="refund_closed")
    wait = timedelta(seconds=SELDOM if answer.status == "ABNORMAL" else 60)
    raise TryLater("cash part is on its way back", wait)


async def _not_returned(context: Context, order: InsuranceOrder, error: PayRefused) -> NoReturn:
    """An empty account is filled again, and she waits for that; any other no is a person's case."""
    cash, empty = yuan(order.cash + order.freight), error.code == NO_MONEY
    async with unit_of_work(context.db) as session:
        if empty:
            await ring(session, NOT_ENOUGH, MERCHANT, f"最近一笔 {cash} 元")
        else:
            await _rings(session, order, "returned_cash_refused", error.detail)
    if empty:
        raise TryLater("the merchant has no money", timedelta(seconds=SELDOM)) from error
    raise error


async def _rings(session: AsyncSession, order: InsuranceOrder, kind: str, why: str = "") -> None:
    words = f"{yuan(order.cash + order.freight)} 元，退款单号 {order.refund_no}" + (f"，{why}" if why else "")
    await ring(session, kind, order.id, words, link=DESK_OF.format(order.payment_id))


async def tidy(work: Work[Context]) -> None:
    """What an order that was not paid leaves behind: its cash order is closed, its claim taken back at the bureau."""
    context = work.context
    async with unit_of_work(context.db) as session:
        order = await session.get_one(InsuranceOrder, work.subject)
    if order.state not in (InsuranceState.FAILED, InsuranceState.ABANDONED):
        return
    cash = None
    if order.prepay_id and not await _close_cash(context, order):
        cash = await _taken(context, order)
    if order.pay_order_id and not await context.insurance.revoke(order.pay_order_id):
        await _rings_for(context, order, SETTLED)
    if cash is not None:
        async with unit_of_work(context.db) as session:
            await service.return_cash(session, order.id, UNPAID, cash)


async def _taken(context: Context, order: InsuranceOrder) -> Transaction | None:
    """Cash that was paid for an order that is over; None when it cannot be paid any more. A person's case when all of it was."""
    found = await context.pay.query(order.out_trade_no)
    if found is None or found.trade_state in OVER:
        return None
    if found.trade_state not in PAID:
        raise TryLater(f"cash part is {found.trade_state}", timedelta(minutes=1))
    mixed = await context.insurance.query(order.out_trade_no)
    if mixed is not None and mixed.whole in (Part.SUCCESS, Part.REFUND):
        await _rings_for(context, order, SETTLED)
        raise Conflict("医保订单已改付，却又支付成功，需人工处理", code="insurance_paid_after_all")
    return found


async def _rings_for(context: Context, order: InsuranceOrder, kind: str) -> None:
    async with unit_of_work(context.db) as session:
        words = f"医保支付单号 {order.pay_order_id}，商户单号 {order.out_trade_no}"
        await ring(session, kind, order.id, words, link=DESK_OF.format(order.payment_id))


async def tell_refund(work: Work[Context]) -> None:
    """Tell WeChat what the insurance gave back (`/v3/med-ins/refunds/notify` is ours to call)."""
    context = work.context
    async with unit_of_work(context.db) as session:
        row = await queries.refund_of(session, work.subject)
        order = await session.get_one(InsuranceOrder, row.order_id) if row else None
    if row is None or order is None or row.told_at is not None:
        return
    back = GivenBack(row.refund_no, row.receipt, Split(row.gov, row.own, row.other, 0), row.refunded_at)
    await context.insurance.tell_refunded(order.mix_trade_no, back)
    async with unit_of_work(context.db) as session:
        found = await queries.refund_of(session, work.subject)
        assert found is not None
        found.told_at = context.clock.now()


HANDLERS: dict[str, Handler] = {
    service.RETURN: return_cash,
    service.TIDY: tidy,
    service.TELL: tell_refund,
}
