"""The refund desk: what waits for a decision, what is late, what went wrong; and one refund with who did what."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.account.queries import deeds, staff_names
from backend.cashier import queries, routes
from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import ADMIN, CLERK
from backend.payment import routes as payment_routes
from backend.payment.queries import refund_parts, remedies
from backend.payment.queries import refunds as refunds_of
from backend.payment.refunding import deadline
from backend.payment.rules import REFUND_RULES, RefundReason, rule_for
from backend.payment.service import DESK as STREAM
from backend.payment.states import DEAD, REFUND, PaymentState, RefundState
from backend.payment.tenders import CASH
from foundation.clock import local
from foundation.web.parsing import decode_query

BANKS = {
    "ICBC_DEBIT": "工商银行", "ABC_DEBIT": "农业银行", "BOC_DEBIT": "中国银行", "CCB_DEBIT": "建设银行", "COMM_DEBIT": "交通银行",
    "PSBC_DEBIT": "邮储银行", "CMB_DEBIT": "招商银行", "SPDB_DEBIT": "浦发银行", "CITIC_DEBIT": "中信银行", "CEB_DEBIT": "光大银行",
    "CIB_DEBIT": "兴业银行", "CMBC_DEBIT": "民生银行", "PAB_DEBIT": "平安银行", "GDB_DEBIT": "广发银行", "BOSH_DEBIT": "上海银行",
}  # fmt: skip
"""WeChat Pay's codes of banks (debit cards) that a desk is asked for; its table has more, and the JSON route takes any."""
TAGS = {"proposed": "tag-reason", "succeeded": "tag-ok", "abnormal": "tag-block", "closed": "tag-block"}


class Filter(msgspec.Struct, frozen=True):
    """As `RefundsQuery`, and the sentence of the last action; a browser may bring more."""

    view: str = "deciding"
    q: Annotated[str, Meta(max_length=64)] = ""
    said: str = ""


async def refunds(call: DeskCall) -> Shown:
    """Refunds of a view."""
    wanted = decode_query(call.request.query_params, Filter)
    now = call.clock.now()
    words = {
        "found": await queries.refunds(call.session, wanted.view, wanted.q, now), "views": queries.VIEWS, "wanted": wanted,
        "counts": await queries.counts(call.session, now), "labels": REFUND.labels, "tags": TAGS, "reason": _words,
        "deadline": deadline, "most": queries.MOST,
    }  # fmt: skip
    return Shown("cashier/refunds.html", words)


async def refund(call: DeskCall) -> Shown:
    """One refund: the rule it goes by, its deadlines, who did what; and what this member of staff may do."""
    found = await queries.refund(call.session, call.id())
    row, payment = found.refund, found.payment
    rule, _ = rule_for(RefundReason(row.reason), local(payment.made_at).date())
    mine = row.requested_by is not None and row.requested_by == call.actor.id
    words = {
        "row": row, "payment": payment, "person": found.person, "rule": rule, "labels": REFUND.labels, "tags": TAGS,
        "until": deadline(row), "deciding": row.state is RefundState.PROPOSED, "mine": mine,
        "closed": row.state is RefundState.CLOSED, "reason": _words,
        "names": await staff_names(call.session, [row.requested_by, row.decided_by]),
        **await _redirecting(call, row.id),
        "deeds": await deeds(call.session, ("refund", row.id)),
    }  # fmt: skip
    return Shown("cashier/refund.html", words)


async def _redirecting(call: DeskCall, refund_id: UUID) -> dict[str, object]:
    """What the forms of an abnormal refund need: the cash that cannot arrive, what is being tried and what was."""
    parts, tried = await refund_parts(call.session, refund_id), await remedies(call.session, refund_id)
    return {
        "cash": parts[CASH].amount if CASH in parts else 0, "banks": BANKS,
        "running": next((one for one in tried if one.done_at is None), None),
        "tried": [one for one in tried if one.done_at is not None],
    }  # fmt: skip


async def proposing(call: DeskCall) -> Shown:
    """The form for a refund by agreement."""
    row, person = await queries.payment(call.session, call.id())
    gone = sum(one.amount for one in await refunds_of(call.session, row.id) if one.state not in DEAD)
    words = {
        "row": row, "person": person, "left": row.amount - gone if row.state is PaymentState.CONFIRMED else 0,
        "deeds": await deeds(call.session, ("payment", row.id)),
    }  # fmt: skip
    return Shown("cashier/propose.html", words)


def _words(reason: str) -> str:
    return REFUND_RULES[RefundReason(reason)].words


DESK = [CLERK, ADMIN]
LIST = page("/desk/refunds", refunds, title="退款审批", roles=DESK, menu="退款审批", live=[STREAM])
ONE = page("/desk/refunds/{id}", refund, title="退款", roles=DESK, audited="refund.view")
NEW = page("/desk/payments/{id}/refund", proposing, title="提出退款", roles=DESK, audited="payment.view")
PAGES = [LIST, ONE, NEW]
HERE = "/desk/refunds/{id}"
ACTIONS = [
    action(f"{HERE}/redirect", payment_routes.ENDPOINTS, payment_routes.redirect, back=ONE, then=HERE, said="已提交改退。"),
    action(f"{HERE}/hand-over", payment_routes.ENDPOINTS, payment_routes.hand_over, back=ONE, then=HERE, said="已登记交付，退款完成。"),
    action(f"{HERE}/give-up", payment_routes.ENDPOINTS, payment_routes.give_up, back=ONE, then=HERE, said="已关闭这笔退款。"),
    action(f"{HERE}/approve", routes.ENDPOINTS, routes.approve, back=ONE, then=HERE, said="已同意，正在退款。"),
    action(f"{HERE}/reject", routes.ENDPOINTS, routes.reject, back=ONE, then=HERE, said="已登记不予退款。"),
    action(f"{HERE}/renew", routes.ENDPOINTS, routes.renew, back=ONE, then="/desk/refunds", said="已重新发起退款。"),
    action(
        "/desk/payments/{id}/refund", routes.ENDPOINTS, routes.propose, back=NEW, then="/desk/refunds",
        said="已提出，等待另一位工作人员审批。",
    ),
]  # fmt: skip
