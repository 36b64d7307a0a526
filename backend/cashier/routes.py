"""The money desk's JSON, and the rules of refunds for everybody."""

from uuid import UUID

from backend.account.queries import staff_names
from backend.appointment import queries as appointments
from backend.cashier import queries
from backend.cashier.wire import (
    Approve,
    CancellationView,
    DeskRefund,
    OrdersQuery,
    OrderView,
    Propose,
    RefundsQuery,
    Reject,
    RuleBookView,
    book_view,
    order_view,
    refund_view,
)
from backend.edge import ADMIN, CLERK, PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter import queries as encounters
from backend.payment import refunding
from backend.payment.rulebook import book_on
from backend.payment.states import PaymentState
from contracts.money import parse_yuan
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send


async def rules(call: ApiCall) -> RuleBookView:
    """The refund rules in force."""
    return book_view(book_on(call.clock.today()))


async def cancellation(call: ApiCall) -> CancellationView:
    """What a cancellation at this moment would give back, before she decides."""
    row = await appointments.visible(call.session, call.actor, call.id())
    case = await encounters.cancelling(call.session, row)
    if case.payment is None:
        raise NotFound("没有找到该订单")
    rule = case.book.of(case.reason)
    paid = case.payment.amount if case.payment.state is PaymentState.CONFIRMED else 0
    return CancellationView(
        reason=case.reason, rule_id=rule.id, rule_version=case.book.version, percent=rule.percent, paid=paid,
        amount=rule.share(paid), free_until=case.free_until,
    )  # fmt: skip


async def orders(call: ApiCall) -> list[OrderView]:
    """Orders by a number or a phone, newest first."""
    return [order_view(row, person) for row, person in await queries.orders(call.session, call.query.q)]


async def refunds(call: ApiCall) -> list[DeskRefund]:
    """Refunds of a view."""
    now = call.clock.now()
    found = await queries.refunds(call.session, call.query.view, call.query.q, now)
    people = [one for asked in found for one in (asked.refund.requested_by, asked.refund.decided_by)]
    names = await staff_names(call.session, people)
    return [refund_view(asked, names, now) for asked in found]


async def show(call: ApiCall) -> DeskRefund:
    """One refund."""
    return await _view(call, call.id())


async def approve(call: ApiCall, body: Approve) -> DeskRefund:
    """Agree; the money goes back, proven by the provider's receipt later."""
    await refunding.approve(call.session, call.actor, call.id(), body.note)
    return await _view(call, call.id())


async def reject(call: ApiCall, body: Reject) -> DeskRefund:
    """Do not agree, saying why."""
    await refunding.reject(call.session, call.actor, call.id(), body.note)
    return await _view(call, call.id())


async def renew(call: ApiCall) -> DeskRefund:
    """Ask anew for what the provider closed."""
    made = await refunding.renew(call.session, call.actor, call.id())
    return await _view(call, made.id)


async def propose(call: ApiCall, body: Propose) -> DeskRefund:
    """A refund by agreement; somebody else must approve it."""
    payment, _ = await queries.payment(call.session, call.id())
    made = await refunding.propose(call.session, call.actor, payment, parse_yuan(body.yuan), body.note)
    return await _view(call, made.id)


async def _view(call: ApiCall, refund_id: UUID) -> DeskRefund:
    found = await queries.refund(call.session, refund_id)
    names = await staff_names(call.session, [found.refund.requested_by, found.refund.decided_by])
    return refund_view(found, names, call.clock.now())


FAMILY = Family.THIRD_PARTY
DESK = [CLERK, ADMIN]
ENDPOINTS: list[ApiEndpoint] = [
    get("/refund-rules", rules, reply=RuleBookView, summary="退费规则", family=Family.PERSONAL_VISIT),
    get("/appointments/{id}/cancellation", cancellation, reply=CancellationView, summary="取消预约可退金额",
        family=Family.PERSONAL_VISIT, roles=[PATIENT]),
    get("/orders", orders, reply=list[OrderView], query=OrdersQuery, summary="查找订单", family=FAMILY, roles=DESK,
        audited="payment.search"),
    get("/refunds", refunds, reply=list[DeskRefund], query=RefundsQuery, summary="退款", family=FAMILY, roles=DESK),
    get("/refunds/{id}", show, reply=DeskRefund, summary="退款详情", family=FAMILY, roles=DESK),
    send("POST", "/refunds/{id}/approve", approve, body=Approve, reply=DeskRefund, summary="同意退款", family=FAMILY,
         roles=DESK, audited="refund.approve"),
    send("POST", "/refunds/{id}/reject", reject, body=Reject, reply=DeskRefund, summary="不同意退款", family=FAMILY,
         roles=DESK, audited="refund.reject"),
    act("POST", "/refunds/{id}/renew", renew, reply=DeskRefund, summary="重新发起退款", family=FAMILY, roles=DESK,
        audited="refund.renew"),
    send("POST", "/payments/{id}/refunds", propose, body=Propose, reply=DeskRefund, summary="提出协商退款",
         family=FAMILY, roles=DESK, status=201, audited="refund.request"),
]  # fmt: skip
