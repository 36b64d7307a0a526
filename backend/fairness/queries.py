"""Reads about pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.fairness.model import Absence, BookingPause
from foundation.db.unit_of_work import clock_of


async def pause_of(session: AsyncSession, person_id: UUID) -> BookingPause | None:
    """The pause that is in force for a person."""
    now = clock_of(session).now()
    query = (
        select(BookingPause)
        .where(BookingPause.person_id == person_id, BookingPause.lifted_at.is_(None))
        .where(BookingPause.starts_at <= now, BookingPause.ends_at > now)
        .order_by(BookingPause.ends_at.desc())
        .limit(1)
    )
    return await session.scalar(query)


async def pauses(session: AsyncSession, *, limit: int = 200) -> Sequence[BookingPause]:
    """Pauses in force, the newest first."""
    now = clock_of(session).now()
    query = (
        select(BookingPause)
        .where(BookingPause.lifted_at.is_(None), BookingPause.ends_at > now)
        .order_by(BookingPause.starts_at.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


@dataclass(frozen=True)
class Standing:
    """Whether a person may book: no-shows that count, and the end of a pause."""

    absences: int
    paused_until: datetime | None


async def standing(session: AsyncSession, person_id: UUID) -> Standing:
    """How a person stands."""
    query = select(func.count()).where(Absence.person_id == person_id, Absence.pause_id.is_(None))
    pause = await pause_of(session, person_id)
    return Standing(await session.scalar(query) or 0, pause.ends_at if pause else None)


async def absences_of(session: AsyncSession, person_id: UUID) -> Sequence[Absence]:
    """No-shows that have led to no pause yet, oldest first."""
    query = select(Absence).where(Absence.person_id == person_id, Absence.pause_id.is_(None))
    return (await session.scalars(query.order_by(Absence.at))).all()
