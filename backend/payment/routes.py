"""Paying."""

from contextlib import suppress

from backend.account.model import Account
from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.payment import queries, service
from backend.payment.states import PaymentState
from backend.payment.tasks import notify_url, settle
from backend.payment.wire import PaymentView, PayParameters, payment_view
from foundation.db.intents import TryLater, Work
from foundation.web.endpoint import act, get


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
    prepay_id = await call.app.pay.order(
        out_trade_no=payment.out_trade_no, amount=payment.amount, description=payment.description, openid=openid,
        notify_url=notify_url(call.app, "payment"), expires=payment.expires_at,
    )  # fmt: skip
    async with call.unit_of_work() as session:
        await service.submitted(session, call.actor, payment.id, prepay_id, payment.out_trade_no)
    invoke = call.app.pay.invoke(prepay_id)
    return PayParameters(
        app_id=invoke["appId"], time_stamp=invoke["timeStamp"], nonce_str=invoke["nonceStr"],
        package=invoke["package"], sign_type=invoke["signType"], pay_sign=invoke["paySign"],
    )  # fmt: skip


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


FAMILY = Family.PERSONAL_VISIT
ENDPOINTS: list[ApiEndpoint] = [
    get("/payments/{id}", show, reply=PaymentView, summary="账单", family=FAMILY, roles=[PATIENT]),
    act("POST", "/payments/{id}/prepay", prepay, reply=PayParameters, summary="发起微信支付", family=FAMILY,
        roles=[PATIENT], transaction=False),
    act("POST", "/payments/{id}/refresh", refresh, reply=PaymentView, summary="查询支付结果", family=FAMILY,
        roles=[PATIENT], transaction=False),
]  # fmt: skip
