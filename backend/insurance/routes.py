"""Paying by insurance, and choosing not to. Family 第三方协作: the insurance is a third party (practice.md 21)."""

from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncSession

from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.insurance import queries, rules, service, tasks
from backend.insurance.model import InsuranceOrder
from backend.insurance.states import ENDED_BADLY, InsuranceState
from backend.insurance.wire import Code, InsuranceView, MixedParameters, Shown, view
from backend.outside.insurance import Claim, InsuranceRefused, OrderType
from backend.outside.wechat_pay import PayRefused
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.model import Payment
from backend.payment.states import PaymentState
from foundation.db.locks import lock, lock_stream
from foundation.errors import Conflict, Forbidden, Unavailable
from foundation.web.endpoint import act, get, send

DOWN = "医保系统暂时没有响应"
TOO_LATE = "医保授权已过期或金额已变，请重新授权"


async def show(call: ApiCall) -> InsuranceView:
    """Whether the bill may be paid by insurance, and how far that is."""
    payment = await payments.visible_payment(call.session, call.actor, call.id())
    return await _view(call, call.session, payment)


async def authorise(call: ApiCall, body: Code) -> InsuranceView:
    """She came back from the authorisation page: ask the insurance what it would pay.

    When it refuses or does not answer, the attempt has failed with its words, and all of the bill is offered to be paid
    by herself; nothing is assumed.
    """
    async with call.unit_of_work() as session:
        payment = await service.herself(session, call.actor, call.id())
        money.payable(payment, call.clock.now())
        if not call.app.insurance.offered:
            raise Conflict("本院暂未开通医保支付", code="insurance_not_offered")
        assert call.actor.id is not None
    openid = await tasks.openid_of(call.app, call.actor.id)
    found = await call.app.insurance.authorise(body.code, openid)
    async with call.unit_of_work() as session:
        fees, freight, kind = await queries.fees(session, payment)
        diagnoses = await queries.diagnoses(session, payment)
        order = await service.begin(session, call.actor, payment, found, kind, freight)
    lines = [rules.claim_line(fee, diagnoses) for fee in fees]
    claim = Claim(order.serial_no, found.pay_auth_no, OrderType(order.order_type), lines)
    try:
        quote = await call.app.insurance.pre_settle(claim)
    except (InsuranceRefused, Unavailable) as error:
        words = error.detail if isinstance(error, InsuranceRefused) else DOWN
        async with call.unit_of_work() as session:
            await service.failed(session, order.id, words)
        raise
    async with call.unit_of_work() as session:
        await service.quoted(session, order.id, quote)
        return await _view(call, session, payment)


async def confirm(call: ApiCall, body: Shown) -> MixedParameters:
    """She accepts the split: place the order, and return what the phone needs to pay it."""
    async with call.unit_of_work() as session:
        payment = await service.herself(session, call.actor, call.id())
        before = payment.prepay_id and payment.out_trade_no
        running = await queries.running(session, payment.id)
    if before and running is not None and running.agreed_at is None:
        await _end_plain_order(call, payment)
    async with call.unit_of_work() as session:
        payment = await service.herself(session, call.actor, call.id())
        order = await service.agree(session, call.actor, payment, body.split, before or "")
    for ask in call.app.wiring.before_order:
        await ask(call.app, payment.id)
    openid = await tasks.openid_of(call.app, order.account_id)
    try:
        mixed, prepay_id = await tasks.place(call.app, order, openid)
    except PayRefused as error:
        async with call.unit_of_work() as session:
            await service.failed(session, order.id, f"{TOO_LATE}（{error.detail}）")
        raise InsuranceRefused(TOO_LATE, code="insurance_order_refused") from error
    async with call.unit_of_work() as session:
        await service.placed(session, call.actor, order.id, mixed, prepay_id)
    if not prepay_id:
        return MixedParameters(mixed.mix_trade_no)
    invoke = call.app.pay.invoke(prepay_id)
    return MixedParameters(
        mixed.mix_trade_no, invoke["appId"], invoke["timeStamp"], invoke["nonceStr"], invoke["package"],
        invoke["signType"], invoke["paySign"],
    )  # fmt: skip


async def pay_herself(call: ApiCall) -> InsuranceView:
    """She chooses to pay all of it: the insurance attempt is ended for certain, and the choice is written down."""
    async with call.unit_of_work() as session:
        payment = await payments.visible_payment(session, call.actor, call.id())
        money.payable(payment, call.clock.now())
        order = await queries.running(session, payment.id)
    if order is not None and not await tasks.end(call.app, order):
        async with call.unit_of_work() as session:
            payment = await payments.visible_payment(session, call.actor, call.id())
        if payment.state == PaymentState.CONFIRMED:
            raise Conflict("医保支付已经成功", code="payment_not_open")
    async with call.unit_of_work() as session:
        await lock_stream(session, payment.stream)
        payment = await lock(session, Payment, payment.id)
        money.payable(payment, call.clock.now())
        if await queries.running(session, payment.id) is not None:
            raise Conflict("医保支付已改变，请刷新后重试", code="insurance_changed")
        made = await queries.choices(session, payment.id)
        latest = await queries.latest(session, payment.id)
        if not made or made[-1].way != "self_pay" or (latest and made[-1].chosen_at < latest.authorised_at):
            service.choose(session, call.actor, payment, "self_pay", latest)
            await session.flush()
        return await _view(call, session, payment)


async def _end_plain_order(call: ApiCall, payment: Payment) -> None:
    """An order for all of the bill stands at WeChat: it is closed before another way of paying opens."""
    try:
        await call.app.pay.close_order(payment.out_trade_no)
    except PayRefused as error:
        if error.code not in ("order_closed", "order_not_exist", "resource_not_exists"):
            raise Conflict("该账单正在支付，请稍候查看结果", code="payment_running") from error


async def _view(call: ApiCall, session: AsyncSession, payment: Payment) -> InsuranceView:
    order = await queries.latest(session, payment.id)
    why_not = await _why_not(call, session, payment)
    return view(
        order, payment.amount, offered=call.app.insurance.offered, why_not=why_not,
        invitation=dict(call.app.insurance.invitation()) if not why_not else {},
        choice=await _choice_needed(session, order, payment),
    )  # fmt: skip


async def _why_not(call: ApiCall, session: AsyncSession, payment: Payment) -> str:
    """Empty when she may begin."""
    if not call.app.insurance.offered:
        return "本院暂未开通医保支付"
    if payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        return "账单已支付或已取消"
    with suppress(Forbidden):
        await service.herself(session, call.actor, payment.id)
        return ""
    return service.NOT_HERSELF


async def _choice_needed(session: AsyncSession, order: InsuranceOrder | None, payment: Payment) -> bool:
    if order is None or payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        return False
    if order.state == InsuranceState.ABANDONED or order.state not in ENDED_BADLY:
        return False
    made = await queries.choices(session, payment.id)
    return not made or made[-1].way != "self_pay" or made[-1].chosen_at < order.authorised_at


FAMILY = Family.THIRD_PARTY
ENDPOINTS: list[ApiEndpoint] = [
    get("/payments/{id}/insurance", show, reply=InsuranceView, summary="医保支付情况", family=FAMILY, roles=[PATIENT]),
    send("POST", "/payments/{id}/insurance", authorise, body=Code, reply=InsuranceView, summary="医保授权并预结算",
         family=FAMILY, roles=[PATIENT], transaction=False),
    send("POST", "/payments/{id}/insurance/confirm", confirm, body=Shown, reply=MixedParameters,
         summary="确认医保支付", family=FAMILY, roles=[PATIENT], transaction=False),
    act("POST", "/payments/{id}/self-pay", pay_herself, reply=InsuranceView, summary="选择全部自费", family=FAMILY,
        roles=[PATIENT], transaction=False),
]  # fmt: skip
