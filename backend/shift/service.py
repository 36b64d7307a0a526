"""Opening, using and ending a shift."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Staff
from backend.outside.ca import SigningSession
from backend.shift.model import Shift
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Forbidden

LENGTH = timedelta(hours=4)
IDLE = timedelta(minutes=30)


async def open_shift(session: AsyncSession, actor: Actor, signing: SigningSession) -> Shift:
    """Begin; an earlier shift of the same person ends."""
    assert actor.id is not None
    now = clock_of(session).now()
    await lock_stream(session, f"shift:{actor.id}")
    await session.execute(
        update(Shift)
        .where(Shift.practitioner_id == actor.id, Shift.closed_at.is_(None))
        .values(closed_at=now)
    )
    shift = Shift(
        practitioner_id=actor.id,
        opened_at=now,
        expires_at=now + LENGTH,
        seen_at=now,
        ca_session=signing.session,
    )
    session.add(shift)
    audit(session, actor, "shift.open", "practitioner", actor.id)
    return shift


async def current(session: AsyncSession, practitioner_id: UUID) -> Shift | None:
    """The open shift, touched; None when there is none or it ran out."""
    now = clock_of(session).now()
    query = select(Shift).where(Shift.practitioner_id == practitioner_id, Shift.closed_at.is_(None))
    shift = await session.scalar(query)
    if shift is None or now >= shift.expires_at or now - shift.seen_at >= IDLE:
        return None
    if now - shift.seen_at > timedelta(minutes=1):
        await session.execute(update(Shift).where(Shift.id == shift.id).values(seen_at=now))
    return shift


async def runs(session: AsyncSession, practitioner_id: UUID) -> bool:
    """Whether the shift is open; looking is no work and does not prolong it."""
    now = clock_of(session).now()
    query = select(Shift.id).where(
        Shift.practitioner_id == practitioner_id, Shift.closed_at.is_(None), Shift.expires_at > now,
        Shift.seen_at > now - IDLE,
    )  # fmt: skip
    return await session.scalar(query) is not None


async def keep_in_call(session: AsyncSession, practitioner_ids: Collection[UUID]) -> None:
    """Who talks to a patient by video is at work, though she touches nothing for half an hour. What ran out stays so."""
    if not practitioner_ids:
        return
    now = clock_of(session).now()
    await session.execute(
        update(Shift)
        .where(
            Shift.practitioner_id.in_(practitioner_ids), Shift.closed_at.is_(None), Shift.expires_at > now,
            Shift.seen_at > now - IDLE, Shift.seen_at < now - timedelta(minutes=1),
        )
        .values(seen_at=now)
    )  # fmt: skip


async def require(session: AsyncSession, actor: Actor) -> Shift:
    """The actor's open shift; `Forbidden` asks for the PIN."""
    shift = await current(session, actor.id) if actor.id else None
    if shift is None:
        raise Forbidden("请先输入签名密码开始上班", code="no_shift")
    return shift


async def require_running(session: AsyncSession, actor: Actor) -> None:
    """As `require`, for who only looks: it does not prolong the shift."""
    if actor.id is None or not await runs(session, actor.id):
        raise Forbidden("请先输入签名密码开始上班", code="no_shift")


async def close_shift(session: AsyncSession, actor: Actor) -> str | None:
    """End the shift; returns the CA session to close."""
    now = clock_of(session).now()
    statement = (
        update(Shift)
        .where(Shift.practitioner_id == actor.id, Shift.closed_at.is_(None))
        .values(closed_at=now)
        .returning(Shift.ca_session)
    )
    found = await session.scalar(statement)
    if found is not None:
        audit(session, actor, "shift.close", "practitioner", actor.id or "")
    return found


async def who_is_on_duty(session: AsyncSession) -> Sequence[UUID]:
    """Pharmacists who could review now."""
    now = clock_of(session).now()
    query = (
        select(Shift.practitioner_id)
        .join(Staff, Staff.id == Shift.practitioner_id)
        .where(
            Staff.role == "pharmacist",
            Shift.closed_at.is_(None),
            Shift.expires_at > now,
            Shift.seen_at > now - IDLE,
        )
    )
    return (await session.scalars(query)).all()


async def pharmacists_on_duty(session: AsyncSession, besides: Collection[UUID] = ()) -> int:
    """How many pharmacists, `besides` these, could review now (基本标准 三(三): at least one)."""
    return len(set(await who_is_on_duty(session)) - set(besides))
