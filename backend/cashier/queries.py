"""Reads of the money desk."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Account
from backend.patient.model import Person
from backend.payment.model import Payment, Refund
from backend.payment.refunding import OPEN
from backend.payment.states import RefundState
from foundation.db.columns import blind_index
from foundation.errors import NotFound

MOST = 100
_PHONE = re.compile(r"1\d{10}")
VIEWS = {
    "deciding": "待审批", "late": "超过期限", "abnormal": "异常或被关闭", "running": "办理中", "all": "全部",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A refund with its bill and the person it is about."""

    refund: Refund
    payment: Payment
    person: Person


def matching(words: str) -> ColumnElement[bool]:
    """Orders by part of a number of theirs or their refunds', or by the whole phone number of the account."""
    wanted = words.strip()[:64]
    if not wanted:
        return true()
    if _PHONE.fullmatch(wanted):
        accounts = select(Account.id).where(Account.phone_index == blind_index("account.phone", wanted))
        return Payment.account_id.in_(accounts)
    refunded = select(Refund.payment_id).where(
        or_(
            Refund.out_refund_no.contains(wanted, autoescape=True),
            Refund.provider_refund_id.contains(wanted, autoescape=True),
        )
    )
    return or_(
        Payment.out_trade_no.contains(wanted, autoescape=True),
        Payment.transaction_id.contains(wanted, autoescape=True),
        Payment.id.in_(refunded),
    )


def _view(view: str, now: datetime) -> ColumnElement[bool]:
    late = or_(
        and_(Refund.state == RefundState.PROPOSED, Refund.approve_by < now),
        and_(Refund.state.in_(OPEN[1:]), Refund.settle_by < now),
    )
    return {
        "deciding": Refund.state == RefundState.PROPOSED,
        "late": late,
        "abnormal": Refund.state.in_((RefundState.ABNORMAL, RefundState.CLOSED)),
        "running": Refund.state.in_(OPEN),
    }.get(view, true())


async def orders(session: AsyncSession, words: str) -> Sequence[tuple[Payment, Person]]:
    """Orders, newest first."""
    query = (
        select(Payment, Person)
        .join(Person, Person.id == Payment.person_id)
        .where(matching(words))
        .order_by(Payment.made_at.desc())
        .limit(MOST)
    )
    return [(row, person) for row, person in (await session.execute(query)).all()]


async def refunds(session: AsyncSession, view: str, words: str, now: datetime) -> Sequence[Asked]:
    """Refunds of a view, what waits longest first; all of them newest first."""
    order = Refund.requested_at.desc() if view == "all" else Refund.requested_at
    query = (
        select(Refund, Payment, Person)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Person, Person.id == Payment.person_id)
        .where(_view(view, now), matching(words))
        .order_by(order)
        .limit(MOST)
    )
    return [
        Asked(refund, payment, person) for refund, payment, person in (await session.execute(query)).all()
    ]


async def counts(session: AsyncSession, now: datetime) -> dict[str, int]:
    """How many are in each view that somebody must look at."""
    found = {}
    for view in ("deciding", "late", "abnormal"):
        query = select(func.count()).select_from(Refund).where(_view(view, now))
        found[view] = await session.scalar(query) or 0
    return found


async def refund(session: AsyncSession, refund_id: UUID) -> Asked:
    """One of them."""
    row = await session.get(Refund, refund_id)
    if row is None:
        raise NotFound("没有找到该退款")
    payment = await session.get_one(Payment, row.payment_id)
    return Asked(row, payment, await session.get_one(Person, payment.person_id))


async def payment(session: AsyncSession, payment_id: UUID) -> tuple[Payment, Person]:
    """An order and whose it is."""
    row = await session.get(Payment, payment_id)
    if row is None:
        raise NotFound("没有找到该订单")
    return row, await session.get_one(Person, row.person_id)
