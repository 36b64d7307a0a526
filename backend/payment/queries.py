"""Reads about payments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.patient import queries as patients
from backend.payment.model import FeeLine, MoneyEvent, Payment, Refund, RefundPart, Remedy, Tender
from backend.payment.states import DEAD
from contracts import events
from foundation.actor import Actor
from foundation.errors import NotFound

WECHAT_CHANNEL = "2"


@dataclass(frozen=True)
class Found:
    """A bill with all that belongs to it; `parts` of refunds by the refund's id."""

    row: Payment
    lines: Sequence[FeeLine]
    refunds: Sequence[Refund]
    tenders: Mapping[str, int]
    parts: Mapping[UUID, Mapping[str, int]]


async def own_payment(session: AsyncSession, actor: Actor, payment_id: UUID) -> Payment:
    """A payment of the actor's account; `NotFound` for everybody else's."""
    row = await session.get(Payment, payment_id)
    if row is None or row.account_id != actor.id:
        raise NotFound
    return row


async def visible_payment(session: AsyncSession, actor: Actor, payment_id: UUID) -> Payment:
    """A payment of the actor's account, or for herself whoever opened it; `NotFound` for everybody else's."""
    row = await session.get(Payment, payment_id)
    if row is None:
        raise NotFound
    if row.account_id != actor.id and (await patients.grant_on(session, actor, row.person_id)).kind != "self":
        raise NotFound
    return row


async def full(session: AsyncSession, row: Payment) -> Found:
    """Everything that a view of the bill shows."""
    given = await refunds(session, row.id)
    query = select(RefundPart).where(RefundPart.refund_id.in_([one.id for one in given]))
    parts: dict[UUID, dict[str, int]] = {}
    for part in await session.scalars(query):
        parts.setdefault(part.refund_id, {})[part.tender] = part.amount
    return Found(row, await lines(session, row.id), given, await tenders(session, row.id), parts)


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


async def refund_parts(session: AsyncSession, refund_id: UUID) -> dict[str, RefundPart]:
    """By tender."""
    query = select(RefundPart).where(RefundPart.refund_id == refund_id)
    return {row.tender: row for row in await session.scalars(query)}


async def remedy(session: AsyncSession, refund_id: UUID) -> Remedy | None:
    """What a person is doing about an abnormal refund."""
    query = select(Remedy).where(Remedy.refund_id == refund_id, Remedy.done_at.is_(None))
    return await session.scalar(query)


async def remedies(session: AsyncSession, refund_id: UUID) -> Sequence[Remedy]:
    """All that was done about it, in order."""
    query = select(Remedy).where(Remedy.refund_id == refund_id).order_by(Remedy.asked_at)
    return (await session.scalars(query)).all()


async def given_back(session: AsyncSession, payment_id: UUID) -> dict[str, int]:
    """Of each tender what went back or is on its way; of a refund that died, what had gone before."""
    gone = or_(Refund.state.not_in(DEAD), RefundPart.proven_at.is_not(None))
    query = (
        select(RefundPart.tender, func.sum(RefundPart.amount))
        .join(Refund, Refund.id == RefundPart.refund_id)
        .where(Refund.payment_id == payment_id, gone)
        .group_by(RefundPart.tender)
    )
    return {tender: int(amount) for tender, amount in await session.execute(query)}


async def moved(session: AsyncSession, payment_id: UUID, kind: str, reference: str) -> bool:
    """Whether this movement is written down, by the provider's number of it."""
    query = select(MoneyEvent.id).where(
        MoneyEvent.payment_id == payment_id,
        MoneyEvent.kind == kind,
        MoneyEvent.provider_reference == reference,
    )
    return await session.scalar(query) is not None


async def gone_before(session: AsyncSession, payment_id: UUID, reason: str) -> int:
    """What refunds for `reason` that died had given back until then: a share is a share, in however many pieces it goes."""
    query = (
        select(func.coalesce(func.sum(RefundPart.amount), 0))
        .join(Refund, Refund.id == RefundPart.refund_id)
        .where(Refund.payment_id == payment_id, Refund.reason == reason, Refund.state.in_(DEAD))
        .where(RefundPart.proven_at.is_not(None))
    )
    return int(await session.scalar(query) or 0)


def snapshot(row: Payment) -> events.Money:
    """The block events carry."""
    return events.Money(row.amount, WECHAT_CHANNEL, row.transaction_id, row.price_version)
