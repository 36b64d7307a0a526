"""Paying."""

from contextlib import suppress

from backend.account.model import Account
from backend.edge import ADMIN, CLERK, PATIENT, ApiCall, ApiEndpoint, Family
from backend.outside.wechat_pay import PayRefused
from backend.payment import queries, remedies, service
from backend.payment.model import Payment, Refund
from backend.payment.states import PaymentState
from backend.payment.tasks import notify_url, settle
from backend.payment.wire import (
    GiveUp,
    HandOver,
    PaymentView,
    PayParameters,
    Redirect,
    RefundView,
    RemedyView,
    payment_view,
    refund_view,
    remedy_view,
)
from foundation.db.intents import TryLater, Work
from foundation.errors import Conflict, Gone
from foundation.web.endpoint import act, get, send


async def show(call: ApiCall) -> PaymentView:
    """A bill of this account."""
    row = await queries.visible_payment(call.session, call.actor, call.id())
    return payment_view(await queries.full(call.session, row))


async def prepay(call: ApiCall) -> PayParameters:
    """Place an order for all of the bill at WeChat Pay and return what the phone needs to pay it.

    Pressing this is choosing to pay all of it herself; with an insurance payment begun it is refused (`choice_needed`).
    """
    async with call.unit_of_work() as session:
        payment = await queries.own_payment(session, call.actor, call.id())
        service.payable(payment, call.clock.now())
        if call.app.wiring.insured is not None:
            await call.app.wiring.insured.by_cash(session, call.app, call.actor, payment.id)
        openid = (await session.get_one(Account, payment.account_id)).openid
    for ask in call.app.wiring.before_order:
        await ask(call.app, payment.id)
    prepay_id = await _order(call, payment, openid)
    async with call.unit_of_work() as session:
        payment = await service.submitted(session, call.actor, payment.id, prepay_id, payment.out_trade_no)
    service.payable(payment, call.clock.now())
    invoke = call.app.pay.invoke(prepay_id)
    return PayParameters(
        app_id=invoke["appId"], time_stamp=invoke["timeStamp"], nonce_str=invoke["nonceStr"],
        package=invoke["package"], sign_type=invoke["signType"], pay_sign=invoke["paySign"],
    )  # fmt: skip


async def _order(call: ApiCall, payment: Payment, openid: str) -> str:
    """The prepay id. An order that is paid already is found out about now, whatever notification was lost."""
    try:
        return await call.app.pay.order(
            out_trade_no=payment.out_trade_no, amount=payment.amount, description=payment.description, openid=openid,
            notify_url=notify_url(call.app, "payment"), expires=payment.expires_at,
        )  # fmt: skip
    except PayRefused as error:
        if error.code == "order_closed":
            raise Gone("该订单已关闭，请重新下单", code="payment_expired") from error
        if error.code != "orderpaid":
            raise
    with suppress(TryLater):
        await settle(Work(call.app, payment.id))
    raise Conflict("该订单已支付或已取消", code="payment_not_open")


async def refresh(call: ApiCall) -> PaymentView:
    """Ask WeChat Pay now what became of the order: the phone's own word is only a hint."""
    async with call.unit_of_work() as session:
        payment = await queries.visible_payment(session, call.actor, call.id())
    if payment.state == PaymentState.PENDING or payment.prepay_id:
        with suppress(TryLater):
            await settle(Work(call.app, payment.id))
    async with call.unit_of_work() as session:
        row = await queries.visible_payment(session, call.actor, call.id())
        return payment_view(await queries.full(session, row))


async def redirect(call: ApiCall, body: Redirect) -> RemedyView:
    """Send an abnormal refund to a card of the patient's, or to the hospital's own account."""
    return remedy_view(await remedies.redirect(call.session, call.actor, call.id(), body.card()))


async def hand_over(call: ApiCall, body: HandOver) -> RefundView:
    """The patient has the money that came back to the hospital; never by who redirected it."""
    await remedies.hand_over(call.session, call.app, call.actor, call.id(), body.evidence)
    return await _refund(call)


async def give_up(call: ApiCall, body: GiveUp) -> RefundView:
    """Close an abnormal refund that is not paid any more, saying why."""
    await remedies.give_up(call.session, call.actor, call.id(), body.note)
    return await _refund(call)


async def _refund(call: ApiCall) -> RefundView:
    row = await call.session.get_one(Refund, call.id())
    parts = await queries.refund_parts(call.session, row.id)
    return refund_view(row, {tender: part.amount for tender, part in parts.items()})


STAFF = (CLERK, ADMIN)
FAMILY = Family.PERSONAL_VISIT
ENDPOINTS: list[ApiEndpoint] = [
    get("/payments/{id}", show, reply=PaymentView, summary="账单", family=FAMILY, roles=[PATIENT]),
    act("POST", "/payments/{id}/prepay", prepay, reply=PayParameters, summary="发起微信支付", family=FAMILY,
        roles=[PATIENT], transaction=False),
    send("POST", "/refunds/{id}/redirect", redirect, body=Redirect, reply=RemedyView, summary="异常退款改退",
         family=Family.THIRD_PARTY, roles=STAFF, status=202, audited="refund.ask_elsewhere"),
    send("POST", "/refunds/{id}/hand-over", hand_over, body=HandOver, reply=RefundView, summary="登记退款已交付患者",
         family=Family.THIRD_PARTY, roles=STAFF, audited="refund.hand_over"),
    send("POST", "/refunds/{id}/give-up", give_up, body=GiveUp, reply=RefundView, summary="关闭异常退款",
         family=Family.THIRD_PARTY, roles=STAFF, audited="refund.give_up"),
    act("POST", "/payments/{id}/refresh", refresh, reply=PaymentView, summary="查询支付结果", family=FAMILY,
        roles=[PATIENT], transaction=False),
]  # fmt: skip
