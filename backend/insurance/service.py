"""An insurance payment from the authorisation to its end. No call to a provider happens here."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.insurance import queries, rules
from backend.insurance.model import InsuranceOrder, InsuranceRefund, PaymentChoice
from backend.insurance.states import ENDED_BADLY, OPEN, InsuranceState
from backend.outside.insurance import Authorisation, GivenBack, Mixed, OrderType, Quote, Split
from backend.outside.wechat_pay import RefundAnswer, Transaction
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.model import Payment
from backend.payment.states import PaymentState
from backend.payment.tenders import CASH, Proven, Receipt
from foundation.actor import SYSTEM, Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Forbidden, Invalid, NotFound
from foundation.ids import new_id

RETURN = "insurance.return_cash"
TIDY = "insurance.tidy"
TELL = "insurance.tell_refund"
NOT_HERSELF = "医保支付须由就诊人本人在自己的微信中授权，您可以代为自费支付"


async def job_of(session: AsyncSession, out_trade_no: str, out_refund_no: str) -> tuple[str, UUID] | None:
    """What a notice about one of our numbers wakes: those of cash on its way back begin with its order's id."""
    order = await queries.by_number(session, out_trade_no)
    if order is None:
        return None
    if not out_refund_no:
        return money.SETTLE, order.payment_id
    if out_refund_no == order.refund_no:
        return RETURN, order.id
    # A number of before, closed by then: nothing to be done about it, least of all by itself.
    return (money.SETTLE, order.payment_id) if out_refund_no.startswith(order.id.hex) else None


async def herself(session: AsyncSession, actor: Actor, payment_id: UUID) -> Payment:
    """The bill, for the patient whose it is: `Forbidden` for everybody who acts for her (practice.md 3)."""
    payment = await payments.visible_payment(session, actor, payment_id)
    try:
        grant = await patients.grant_on(session, actor, payment.person_id)
    except NotFound:  # who pays for somebody by a code
        grant = None
    if grant is None or grant.kind != "self":
        raise Forbidden(NOT_HERSELF, code="insurance_not_herself")
    return payment


async def begin(
    session: AsyncSession, actor: Actor, payment: Payment, found: Authorisation, kind: OrderType, freight: int
) -> InsuranceOrder:
    """She has authorised: an attempt of its own numbers. One that was begun before and not agreed to is given up."""
    assert actor.id is not None
    await lock_stream(session, payment.stream)
    payment = await lock(session, Payment, payment.id)
    money.payable(payment, clock_of(session).now())
    person = await patients.person(session, payment.person_id)
    if issues := rules.authorisation_issues(found, person.name, person.id_number):
        raise Invalid("授权人不是就诊人本人", issues=issues)
    before = await queries.running(session, payment.id)
    if before is not None:
        if before.agreed_at is not None:
            raise Conflict("医保支付正在进行，请先完成或改为自费", code="insurance_running")
        await abandon(session, SYSTEM, before)
    order_id = new_id()
    order = InsuranceOrder(
        id=order_id, payment_id=payment.id, stream=payment.stream, account_id=actor.id, order_type=kind.value,
        out_trade_no=order_id.hex, serial_no=serial(order_id), pay_auth_no=found.pay_auth_no, location=found.location,
        freight=freight, authorised_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(order)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict("医保支付正在进行，请稍后再试", code="insurance_running") from error
    audit(session, actor, "insurance.authorise", "payment", payment.id)
    return order


def serial(order_id: UUID) -> str:
    """Twenty characters, as long as a bureau takes; time and chance of the id are both in it."""
    return order_id.hex[:10] + order_id.hex[-10:]


async def quoted(session: AsyncSession, order_id: UUID, quote: Quote) -> InsuranceOrder:
    """The bureau has answered."""
    order = await _locked(session, order_id)
    split = quote.split
    if not await advance(
        session, order, "quote", SYSTEM, pay_order_id=quote.pay_order_id, gov=split.gov, own=split.self_,
        other=split.other, cash=split.cash, quoted_at=quote.made_at,
    ):  # fmt: skip
        raise Conflict("医保支付已改变，请刷新后重试", code="insurance_changed")
    return order


async def agree(
    session: AsyncSession, actor: Actor, payment: Payment, shown: Split, closed: str = ""
) -> InsuranceOrder:
    """She accepts the split that she was shown: written down, and the bill is paid by it from now on. Again: the same.

    `closed`: the number of the order for all of the bill that was closed before. Another one that stands by now could be
    paid beside this one: `Conflict`.
    """
    await lock_stream(session, payment.stream)
    payment = await lock(session, Payment, payment.id)
    money.payable(payment, clock_of(session).now())
    order = await queries.running(session, payment.id)
    if order is None or order.state == InsuranceState.AUTHORISED:
        raise Conflict("请先完成医保授权", code="insurance_not_quoted")
    if issues := rules.quote_issues(shown, order.split):
        raise Invalid(issues=issues)
    if order.agreed_at is None:
        if guarded("plain_order") and payment.prepay_id and payment.out_trade_no != closed:
            raise Conflict("支付方式已更改，请刷新后重试", code="payment_way_changed")
        order.agreed_at = clock_of(session).now()
        await money.pay_by(
            session, payment, rules.parts_of(order.split, order.freight), out_trade_no=order.out_trade_no
        )
        choose(session, actor, payment, "insurance", order)
        await intend(session, money.SETTLE, payment.id, due=order.agreed_at + money.FIRST_LOOK)
    return order


def choose(
    session: AsyncSession, actor: Actor, payment: Payment, way: str, order: InsuranceOrder | None
) -> None:
    """Write a choice down with what she was shown. Of self-pay that is the full amount."""
    assert actor.id is not None
    insured = way == "insurance" and order is not None
    paid = order.split.insurance if insured and order is not None else 0
    session.add(
        PaymentChoice(
            payment_id=payment.id, account_id=actor.id, way=way, insurance_amount=paid,
            cash_amount=payment.amount - paid, chosen_at=clock_of(session).now(),
            instead_of=order.failure if order is not None and not insured else "",
        )
    )  # fmt: skip
    audit(session, actor, "payment.choose", "payment", payment.id, detail={"way": way})


async def keep_prepay(session: AsyncSession, order_id: UUID, prepay_id: str) -> str:
    """The cash order of an attempt is one, whatever is pressed twice: the mixed order names it, and so must the phone."""
    order = await _locked(session, order_id)
    order.prepay_id = order.prepay_id or prepay_id
    return order.prepay_id


async def placed(
    session: AsyncSession, actor: Actor, order_id: UUID, mixed: Mixed, prepay_id: str
) -> InsuranceOrder:
    """WeChat has the order. `Conflict` when she has given it up meanwhile."""
    order = await _locked(session, order_id)
    if order.state not in (InsuranceState.QUOTED, InsuranceState.PLACED):
        raise Conflict("支付方式已更改，请刷新后重试", code="payment_way_changed")
    now = clock_of(session).now()
    await advance(
        session, order, "place", actor, mix_trade_no=mixed.mix_trade_no, prepay_id=prepay_id, placed_at=now
    )
    await money.submitted(session, actor, order.payment_id, prepay_id, order.out_trade_no)
    return order


async def paid(
    session: AsyncSession, context: Context, order_id: UUID, mixed: Mixed, cash: Transaction | None
) -> bool:
    """WeChat's query says that both purses paid; `cash` is its word on the cash part. A second word changes nothing.

    `Conflict` when an amount is not the one that was agreed to: a case for a person.
    """
    order = await session.get_one(InsuranceOrder, order_id)
    await _lock_stream(session, order)
    order = await lock(session, InsuranceOrder, order_id)
    parts = _proven(order, mixed, cash)
    number = parts[CASH].reference if CASH in parts else mixed.mix_trade_no
    receipt = Receipt(order.out_trade_no, number, parts, mixed.paid_at)
    if order.state != InsuranceState.PAID:
        await advance(
            session, order, "pay", SYSTEM, mix_trade_no=mixed.mix_trade_no, ended_at=clock_of(session).now()
        )
    return await money.received(session, context, order.payment_id, receipt)


def _proven(order: InsuranceOrder, mixed: Mixed, cash: Transaction | None) -> dict[str, Proven]:
    """By tender; `Conflict` for amounts other than agreed."""
    wanted = rules.parts_of(order.split, order.freight)
    told = rules.parts_of(mixed.split, mixed.cash - mixed.split.cash)
    taken = cash.amount.total if cash is not None else 0
    if told != wanted or taken != wanted.get(CASH, 0) or mixed.out_trade_no != order.out_trade_no:
        raise Conflict("医保支付金额与订单不符，请联系医院", code="amount_mismatch")
    parts = {tender: Proven(amount, mixed.mix_trade_no) for tender, amount in wanted.items()}
    if cash is not None:
        parts[CASH] = Proven(wanted[CASH], cash.transaction_id)
    return parts


async def failed(session: AsyncSession, order_id: UUID, words: str) -> InsuranceOrder:
    """It will not be paid so; the bill waits for her choice."""
    order = await _locked(session, order_id)
    if order.state in OPEN:
        await advance(session, order, "fail", SYSTEM, failure=words[:120], ended_at=clock_of(session).now())
        await _reopen(session, order)
        if order.pay_order_id:
            await intend(session, TIDY, order.id)
    return order


async def abandon(session: AsyncSession, actor: Actor, order: InsuranceOrder) -> None:
    """It is given up and, by what providers said, cannot be paid any more; the claim is taken back by a job."""
    await advance(session, order, "abandon", actor, ended_at=clock_of(session).now())
    await _reopen(session, order)
    if order.pay_order_id:
        await intend(session, TIDY, order.id)


async def _reopen(session: AsyncSession, order: InsuranceOrder) -> None:
    """An open bill that was to be paid by this order has a number and the plain tender again. Nothing is chosen by it."""
    payment = await lock(session, Payment, order.payment_id)
    unpaid = payment.state in (PaymentState.CREATED, PaymentState.PENDING)
    if unpaid and payment.out_trade_no == order.out_trade_no:
        await money.pay_by(session, payment, {CASH: payment.amount}, out_trade_no=new_id().hex)


async def return_cash(session: AsyncSession, order_id: UUID, words: str, cash: Transaction) -> None:
    """The insurance did not pay, her cash was taken: it is written down as received, and goes back by a job. Once."""
    order = await _locked(session, order_id)
    over = order.state in (InsuranceState.FAILED, InsuranceState.ABANDONED)
    known = over and await payments.moved(session, order.payment_id, "received", cash.transaction_id)
    if known or not (over or order.state in OPEN):
        return
    await advance(session, order, "return_cash", SYSTEM, failure=words[:120])
    proof, at = Proven(cash.amount.total, cash.transaction_id), cash.success_time or clock_of(session).now()
    await money.record(session, order.payment_id, "received", CASH, proof, at)
    await _reopen(session, order)
    await intend(session, RETURN, order.id)


async def cash_returned(session: AsyncSession, order_id: UUID, answer: RefundAnswer) -> None:
    """The provider's receipt for it."""
    order = await _locked(session, order_id)
    if order.state == InsuranceState.RETURNING:
        await advance(session, order, "fail", SYSTEM, ended_at=clock_of(session).now())
        proof = Proven(answer.amount.refund, answer.refund_id)
        at = answer.success_time or clock_of(session).now()
        await money.record(session, order.payment_id, "refunded", CASH, proof, at)


async def closed_on_its_way(session: AsyncSession, order_id: UUID, number: str) -> None:
    """The provider closed the refund `number`, which is good for nothing any more: the next attempt has another one."""
    order = await _locked(session, order_id)
    if order.refund_no == number:
        tries = int(number.partition("-")[2] or 1)
        order.return_no = f"{order.id.hex}-{tries + 1}"


async def by_cash(session: AsyncSession, _: Context, actor: Actor, payment_id: UUID) -> None:
    """She wants to pay all of it herself. With an attempt running or failed that must have been chosen: `Conflict`."""
    payment = await session.get_one(Payment, payment_id)
    if guarded("row_lock"):
        await lock_stream(session, payment.stream)
    order = await queries.latest(session, payment_id)
    made = await queries.choices(session, payment_id)
    if order is None or order.state == InsuranceState.ABANDONED:
        if not made or made[-1].way != "self_pay":
            choose(session, actor, payment, "self_pay", order)
        return
    chosen_since = bool(made) and made[-1].way == "self_pay" and made[-1].chosen_at >= order.authorised_at
    if order.state in OPEN or not (order.state in ENDED_BADLY and chosen_since):
        raise Conflict("请先选择医保支付或全部自费", code="choice_needed")


async def given_back(
    session: AsyncSession, context: Context, refund_id: UUID, order: InsuranceOrder, back: GivenBack
) -> None:
    """The insurance's receipt for its parts of a refund; WeChat is told by a job."""
    assert back.refunded_at is not None
    split = back.split
    amounts = {"ins_gov": split.gov, "ins_self": split.self_, "ins_other": split.other}
    proven = {tender: Proven(amount, back.refund_id) for tender, amount in amounts.items() if amount}
    await money.parts_given_back(session, context, refund_id, proven, back.refunded_at)
    if await queries.refund_of(session, refund_id) is None:
        session.add(
            InsuranceRefund(
                refund_id=refund_id, order_id=order.id, refund_no=back.refund_no, receipt=back.refund_id, gov=split.gov,
                own=split.self_, other=split.other, refunded_at=back.refunded_at,
            )
        )  # fmt: skip
        await intend(session, TELL, refund_id)


async def given_up(session: AsyncSession, seen: InsuranceOrder) -> bool:
    """End an order that is as it was `seen` when it was made sure of; False when she has agreed to it meanwhile."""
    order = await _locked(session, seen.id)
    if guarded("agreed_meanwhile") and order.agreed_at != seen.agreed_at:
        return False
    if order.state in OPEN:
        await abandon(session, SYSTEM, order)
    return True


async def _locked(session: AsyncSession, order_id: UUID) -> InsuranceOrder:
    order = await session.get_one(InsuranceOrder, order_id)
    await _lock_stream(session, order)
    return await lock(session, InsuranceOrder, order_id)


async def _lock_stream(session: AsyncSession, order: InsuranceOrder) -> None:
    if guarded("row_lock"):
        await lock_stream(session, order.stream)
