"""Reads about payments."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.payment.model import FeeLine, Payment, Refund, Tender
from contracts import events
from foundation.actor import Actor
from foundation.errors import NotFound

WECHAT_CHANNEL = "2"


async def own_payment(session: AsyncSession, actor: Actor, payment_id: UUID) -> Payment:
    """A payment of the actor's account; `NotFound` for everybody else's."""
    row = await session.get(Payment, payment_id)
    if row is None or row.account_id != actor.id:
        raise NotFound
    return row


async def of_subject(session: AsyncSession, kind: str, subject_id: UUID) -> Payment | None:
    """The payment of a subject."""
    query = select(Payment).where(Payment.subject_kind == kind, Payment.subject_id == subject_id)
    return await session.scalar(query)


async def lines(session: AsyncSession, payment_id: UUID) -> Sequence[FeeLine]:
    """The bill."""
    query = select(FeeLine).where(FeeLine.payment_id == payment_id).order_by(FeeLine.id)
    return (await session.scalars(query)).all()


async def tenders(session: AsyncSession, payment_id: UUID) -> dict[str, int]:
    """How it is paid."""
    query = select(Tender).where(Tender.payment_id == payment_id)
    return {row.kind: row.amount for row in await session.scalars(query)}


async def refunds(session: AsyncSession, payment_id: UUID) -> Sequence[Refund]:
    """What goes back."""
    query = select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.requested_at)
    return (await session.scalars(query)).all()


def snapshot(row: Payment) -> events.Money:
    """The block events carry."""
    return events.Money(row.amount, WECHAT_CHANNEL, row.transaction_id, row.price_version)
