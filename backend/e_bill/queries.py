"""Reads about e-bills."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Panel
from backend.e_bill import rules
from backend.e_bill.model import EBillRow
from backend.e_bill.states import E_BILL, LIVE
from backend.formulary import queries as drugs
from backend.outside.insurance import Split
from backend.payment import queries as payments
from backend.payment.model import Payment, Refund, RefundPart
from backend.payment.states import RefundState
from backend.pricing.rules import DELIVERY
from foundation.clock import local
from foundation.db.guards import guarded


async def bills(session: AsyncSession, payment_id: UUID) -> Sequence[EBillRow]:
    """Of a payment, oldest first."""
    query = select(EBillRow).where(EBillRow.payment_id == payment_id).order_by(EBillRow.sequence)
    return (await session.scalars(query)).all()


async def live(session: AsyncSession, payment_id: UUID) -> EBillRow | None:
    """The one that counts."""
    query = select(EBillRow).where(EBillRow.payment_id == payment_id, EBillRow.state.in_(LIVE))
    return await session.scalar(query)


async def net(session: AsyncSession, payment_id: UUID) -> Split:
    """What was paid, less the refunds that have succeeded as a whole."""
    query = (
        select(RefundPart.tender, func.sum(RefundPart.amount))
        .join(Refund, Refund.id == RefundPart.refund_id)
        .where(Refund.payment_id == payment_id, Refund.state == RefundState.SUCCEEDED)
        .group_by(RefundPart.tender)
    )
    refunded = {tender: int(amount) for tender, amount in await session.execute(query)}
    return rules.net_split(await payments.tenders(session, payment_id), refunded)


async def newest_refund(session: AsyncSession, payment_id: UUID) -> Refund | None:
    """The last that has succeeded: what a red bill is for, and never before the money is back."""
    query = select(Refund).where(Refund.payment_id == payment_id)
    if guarded("red_after_refund"):
        query = query.where(Refund.state == RefundState.SUCCEEDED)
    return await session.scalar(query.order_by(Refund.succeeded_at.desc()).limit(1))


async def fees(session: AsyncSession, payment: Payment) -> list[rules.Fee]:
    """Lines by category; a drug's name stays here."""
    lines = await payments.lines(session, payment.id)
    known = await drugs.by_codes(session, {line.code for line in lines})
    found = []
    for line in lines:
        if line.code == DELIVERY:
            category = rules.OTHER
        elif payment.subject_kind == "prescription":
            drug = known.get(line.code)
            category = rules.drug_category(drug.tj_class if drug else "")
        else:
            category = rules.VISIT
        found.append(rules.Fee(category, line.amount))
    return found


@dataclass(frozen=True)
class Waiting:
    """A bill that is not where it should be, with the order it belongs to."""

    bill: EBillRow
    payment: Payment


async def waiting(session: AsyncSession, limit: int = 100) -> list[Waiting]:
    """Bills with a problem, the longest wait first."""
    query = (
        select(EBillRow, Payment)
        .join(Payment, Payment.id == EBillRow.payment_id)
        .where(EBillRow.state.in_(LIVE), EBillRow.problem != "")
        .order_by(EBillRow.wanted_at)
        .limit(limit)
    )
    return [Waiting(bill, payment) for bill, payment in await session.execute(query)]


async def panels(session: AsyncSession, payment_id: UUID) -> Sequence[Panel]:
    """What the cashier's desk shows of an order."""
    found = []
    for row in await bills(session, payment_id):
        facts = [
            ("状态", E_BILL.labels[row.state]),
            ("票据代码", row.code),
            ("票据号码", row.number),
            ("校验码", row.check_code),
            ("开具时间", f"{local(row.issued_at):%m-%d %H:%M}" if row.issued_at else ""),
            ("红字票据号码", row.red_number),
            ("冲红时间", f"{local(row.red_at):%m-%d %H:%M}" if row.red_at else ""),
            ("未完成原因", row.problem),
            ("说明", row.notice),
        ]
        found.append(Panel("电子票据", [fact for fact in facts if fact[1]]))
    return found
