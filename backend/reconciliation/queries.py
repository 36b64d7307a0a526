"""Reads: our own book of a day, days, runs, differences."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.payment.model import MoneyEvent, Payment, Refund, RefundPart
from backend.payment.states import DEAD, PaymentState, RefundState
from backend.payment.tenders import CASH
from backend.reconciliation.model import DifferenceRow, ReconciliationDay, ReconciliationRun
from backend.reconciliation.rules import Money, Ours
from backend.reconciliation.states import DifferenceState
from backend.writeback.model import WriteBack
from foundation.errors import NotFound

PORTION = 5_000


async def our_book(session: AsyncSession, start: datetime, end: datetime) -> list[Ours]:
    """What providers' receipts have proven in [start, end), by the providers' own times; see `rules.Ours`.

    Cash is what moved, whatever became of the bill: it may have been taken for an insurance order that came to nothing.
    """
    cash = [*await _cash_in(session, start, end), *await _cash_back(session, start, end)]
    whole = [*await _charged(session, start, end), *await _refunded(session, start, end)]
    found = {(one.money, one.number): one for one in cash}
    for one in whole:
        there = found.get((one.money, one.number))
        found[one.money, one.number] = replace(one, cash=there.cash) if there else one
    return list(found.values())


async def _cash_in(session: AsyncSession, start: datetime, end: datetime) -> list[Ours]:
    query = (
        select(MoneyEvent.provider_reference, Payment.out_trade_no, MoneyEvent.amount)
        .join(Payment, Payment.id == MoneyEvent.payment_id)
        .where(MoneyEvent.kind == "received", MoneyEvent.tender == CASH)
        .where(MoneyEvent.at >= start, MoneyEvent.at < end)
    )
    return [
        Ours(Money.CHARGE, number, own, cash, 0, False) for number, own, cash in await session.execute(query)
    ]


async def _cash_back(session: AsyncSession, start: datetime, end: datetime) -> list[Ours]:
    own = (
        select(Refund.out_refund_no)
        .join(RefundPart, RefundPart.refund_id == Refund.id)
        .where(Refund.payment_id == MoneyEvent.payment_id, RefundPart.tender == CASH)
        .where(RefundPart.provider_reference == MoneyEvent.provider_reference)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(MoneyEvent.provider_reference, func.coalesce(own, ""), MoneyEvent.amount)
        .where(MoneyEvent.kind == "refunded", MoneyEvent.tender == CASH)
        .where(MoneyEvent.at >= start, MoneyEvent.at < end)
    )
    return [
        Ours(Money.REFUND, number, own, cash, 0, False) for number, own, cash in await session.execute(query)
    ]


async def _charged(session: AsyncSession, start: datetime, end: datetime) -> list[Ours]:
    written = exists().where(WriteBack.subject_id == Payment.id, WriteBack.step.startswith("charge."))
    query = select(Payment.transaction_id, Payment.out_trade_no, Payment.amount, written).where(
        Payment.state == PaymentState.CONFIRMED, Payment.paid_at >= start, Payment.paid_at < end
    )
    return [
        Ours(Money.CHARGE, number, own, 0, amount, in_hospital)
        for number, own, amount, in_hospital in await session.execute(query)
    ]


async def _refunded(session: AsyncSession, start: datetime, end: datetime) -> list[Ours]:
    written = exists().where(WriteBack.subject_id == Refund.id, WriteBack.step == "refund")
    query = select(Refund.provider_refund_id, Refund.out_refund_no, Refund.amount, written).where(
        Refund.state == RefundState.SUCCEEDED, Refund.succeeded_at >= start, Refund.succeeded_at < end
    )
    return [
        Ours(Money.REFUND, number, own, 0, amount, in_hospital)
        for number, own, amount, in_hospital in await session.execute(query)
    ]


async def refunds_by_number(session: AsyncSession, numbers: Iterable[str]) -> dict[str, int]:
    """The cash of our refunds under these numbers; given-up ones are none."""
    wanted, found = sorted(set(numbers)), dict[str, int]()
    for place in range(0, len(wanted), PORTION):
        query = (
            select(Refund.out_refund_no, RefundPart.amount)
            .join(RefundPart, RefundPart.refund_id == Refund.id)
            .where(RefundPart.tender == CASH, Refund.state.not_in(DEAD))
            .where(Refund.out_refund_no.in_(wanted[place : place + PORTION]))
        )
        found |= {row.out_refund_no: row.amount for row in await session.execute(query)}
    return found


async def day_row(session: AsyncSession, day_id: UUID) -> ReconciliationDay:
    """One day."""
    row = await session.get(ReconciliationDay, day_id)
    if row is None:
        raise NotFound("没有找到该对账日")
    return row


async def by_day(session: AsyncSession, day: date) -> ReconciliationDay | None:
    """The row of a calendar day."""
    return await session.scalar(select(ReconciliationDay).where(ReconciliationDay.day == day))


async def days(
    session: AsyncSession, limit: int = 60
) -> Sequence[tuple[ReconciliationDay, ReconciliationRun | None]]:
    """Newest first, each with its last run."""
    query = (
        select(ReconciliationDay, ReconciliationRun)
        .outerjoin(ReconciliationRun, ReconciliationRun.id == ReconciliationDay.last_run)
        .order_by(ReconciliationDay.day.desc())
        .limit(limit)
    )
    return [(row, run) for row, run in (await session.execute(query)).all()]


async def last_run(session: AsyncSession, row: ReconciliationDay) -> ReconciliationRun | None:
    """The run whose figures count."""
    return await session.get(ReconciliationRun, row.last_run) if row.last_run else None


async def runs(session: AsyncSession, day_id: UUID) -> Sequence[ReconciliationRun]:
    """Newest first."""
    query = (
        select(ReconciliationRun)
        .where(ReconciliationRun.day_id == day_id)
        .order_by(ReconciliationRun.at.desc())
    )
    return (await session.scalars(query)).all()


async def differences(session: AsyncSession, day_id: UUID) -> Sequence[DifferenceRow]:
    """Of a day: open ones first."""
    query = (
        select(DifferenceRow)
        .where(DifferenceRow.day_id == day_id)
        .order_by(DifferenceRow.state != DifferenceState.OPEN, DifferenceRow.kind, DifferenceRow.number)
    )
    return (await session.scalars(query)).all()


async def open_differences(session: AsyncSession, limit: int = 200) -> Sequence[DifferenceRow]:
    """Of all days, oldest first."""
    query = (
        select(DifferenceRow)
        .where(DifferenceRow.state == DifferenceState.OPEN)
        .order_by(DifferenceRow.day, DifferenceRow.found_at)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def open_counts(session: AsyncSession) -> dict[UUID, int]:
    """How many differences of each day wait for somebody."""
    query = (
        select(DifferenceRow.day_id, func.count())
        .where(DifferenceRow.state == DifferenceState.OPEN)
        .group_by(DifferenceRow.day_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def difference(session: AsyncSession, difference_id: UUID) -> DifferenceRow:
    """One of them."""
    row = await session.get(DifferenceRow, difference_id)
    if row is None:
        raise NotFound("没有找到该差异")
    return row
