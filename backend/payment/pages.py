"""The cashier's desk: orders and refunds, to be read. Money is moved by rules, never from a page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Account
from backend.account.queries import deeds
from backend.desk.declared import DeskCall, Shown, page
from backend.edge import ADMIN, CLERK
from backend.patient.model import Person
from backend.payment import queries
from backend.payment.model import FeeLine, MoneyEvent, Payment, Refund
from backend.payment.rules import REFUND_RULES, RefundReason, balance
from backend.payment.states import PAYMENT, REFUND, PaymentState, RefundState
from backend.payment.tenders import LABELS
from backend.pricing.service import DELIVERY
from foundation.db.columns import blind_index
from foundation.errors import NotFound
from foundation.web.parsing import decode_query

SUBJECTS = {"appointment": "诊查费", "prescription": "药费"}
VIEWS = {
    "all": "全部", "paid": "已支付", "refunds": "有退款", "abnormal": "退款异常",
}  # fmt: skip
MOST = 100
_PHONE = re.compile(r"1\d{10}")


class Filter(msgspec.Struct, frozen=True):
    """Which orders: a view of `VIEWS`, and part of a trade number or the account's whole phone number."""

    view: str = "all"
    q: str = ""
    said: str = ""


@dataclass(frozen=True)
class Order:
    """A payment, whose it is, and its newest refund."""

    row: Payment
    person: Person
    refund: Refund | None


async def orders(call: DeskCall) -> Shown:
    """Orders, newest first, and how many refunds need somebody."""
    wanted = decode_query(call.request.query_params, Filter)
    query = (
        select(Payment, Person)
        .join(Person, Person.id == Payment.person_id)
        .where(_view(wanted.view), _number(wanted.q))
        .order_by(Payment.made_at.desc())
        .limit(MOST)
    )
    found = [(row, person) for row, person in (await call.session.execute(query)).all()]
    refunds = await _refunds(call.session, [row for row, _ in found])
    abnormal = select(func.count()).select_from(Refund).where(Refund.state == RefundState.ABNORMAL)
    words = {
        "orders": [Order(row, person, refunds.get(row.id)) for row, person in found], "views": VIEWS, "wanted": wanted,
        "subjects": SUBJECTS, "labels": PAYMENT.labels, "refund_labels": REFUND.labels, "most": MOST,
        "abnormal": await call.session.scalar(abnormal) or 0,
    }  # fmt: skip
    return Shown("payment/orders.html", words)


async def order(call: DeskCall) -> Shown:
    """One order with its lines, refunds and what really moved. Which drugs they were is not the cashier's business."""
    row = await call.session.get(Payment, call.id())
    if row is None:
        raise NotFound("没有找到该订单")
    lines = await queries.lines(call.session, row.id)
    query = select(MoneyEvent).where(MoneyEvent.payment_id == row.id).order_by(MoneyEvent.at)
    moved = (await call.session.scalars(query)).all()
    words = {
        "row": row, "person": await call.session.get_one(Person, row.person_id), "lines": bill(row, lines),
        "tenders": await queries.tenders(call.session, row.id), "refunds": await queries.refunds(call.session, row.id),
        "panels": [one for ask in call.app.wiring.panels for one in await ask(call.session, row.id)],
        "tender_labels": LABELS, "parts": (await queries.full(call.session, row)).parts,
        "moved": moved, "balance": balance([(one.kind, one.amount) for one in moved]), "subjects": SUBJECTS,
        "labels": PAYMENT.labels, "refund_labels": REFUND.labels, "reasons": _words,
        "deeds": await deeds(call.session, ("payment", row.id)),
    }  # fmt: skip
    return Shown("payment/order.html", words)


def bill(row: Payment, lines: Sequence[FeeLine]) -> list[tuple[str, int]]:
    """Names and amounts; the lines of a prescription's drugs are one line, without their names."""
    if row.subject_kind != "prescription":
        return [(line.name, line.amount) for line in lines]
    drugs = [line for line in lines if line.code != DELIVERY]
    rest = [(line.name, line.amount) for line in lines if line.code == DELIVERY]
    return [(f"药品（{len(drugs)} 种）", sum(line.amount for line in drugs)), *rest]


def _words(reason: str) -> str:
    return REFUND_RULES[RefundReason(reason)].words


def _view(view: str) -> ColumnElement[bool]:
    refunded = select(Refund.payment_id)
    return {
        "paid": Payment.state == PaymentState.CONFIRMED,
        "refunds": Payment.id.in_(refunded),
        "abnormal": Payment.id.in_(refunded.where(Refund.state == RefundState.ABNORMAL)),
    }.get(view, true())


def _number(part: str) -> ColumnElement[bool]:
    wanted = part.strip()[:40]
    if not wanted:
        return true()
    if _PHONE.fullmatch(wanted):
        index = blind_index("account.phone", wanted)
        return Payment.account_id.in_(select(Account.id).where(Account.phone_index == index))
    return or_(
        Payment.out_trade_no.contains(wanted, autoescape=True),
        Payment.transaction_id.contains(wanted, autoescape=True),
    )


async def _refunds(session: AsyncSession, rows: list[Payment]) -> dict[UUID, Refund]:
    query = (
        select(Refund).where(Refund.payment_id.in_([row.id for row in rows])).order_by(Refund.requested_at)
    )
    return {refund.payment_id: refund for refund in await session.scalars(query)}


DESK = [CLERK, ADMIN]
PAGES = [
    page("/desk/payments", orders, title="订单与退款", roles=DESK, menu="订单与退款"),
    page("/desk/payments/{id}", order, title="订单", roles=DESK, audited="payment.view"),
]
