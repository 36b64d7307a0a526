"""Reads about the plan: for routes and for the desk."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner.model import Practitioner
from backend.timetable.model import CalendarDay, DaySession, PharmacistHours, ScheduleSource, WeeklySession
from foundation.db.unit_of_work import clock_of


async def weekly(session: AsyncSession, practitioner_id: UUID | None = None) -> Sequence[WeeklySession]:
    """Versions that hold today or later, by doctor, weekday and hour."""
    today = clock_of(session).today()
    query = select(WeeklySession).where(
        WeeklySession.valid_to.is_(None)
        | ((WeeklySession.valid_to >= today) & (WeeklySession.valid_to >= WeeklySession.valid_from))
    )
    if practitioner_id is not None:
        query = query.where(WeeklySession.practitioner_id == practitioner_id)
    order = (
        WeeklySession.practitioner_id,
        WeeklySession.weekday,
        WeeklySession.begins,
        WeeklySession.valid_from,
    )
    return (await session.scalars(query.order_by(*order))).all()


async def versions(session: AsyncSession, series_id: UUID) -> Sequence[WeeklySession]:
    """Every version of a session, newest first."""
    query = select(WeeklySession).where(WeeklySession.series_id == series_id)
    return (await session.scalars(query.order_by(WeeklySession.version.desc()))).all()


async def changed_days(
    session: AsyncSession, practitioner_id: UUID, first: date, last: date | None = None
) -> Sequence[DaySession]:
    """What is different on single days."""
    query = select(DaySession).where(DaySession.practitioner_id == practitioner_id, DaySession.day >= first)
    if last is not None:
        query = query.where(DaySession.day <= last)
    return (await session.scalars(query.order_by(DaySession.day, DaySession.begins))).all()


async def special_days(session: AsyncSession) -> Sequence[CalendarDay]:
    """From today on."""
    query = select(CalendarDay).where(CalendarDay.day >= clock_of(session).today())
    return (await session.scalars(query.order_by(CalendarDay.day))).all()


async def pharmacists_hours(session: AsyncSession) -> Sequence[tuple[PharmacistHours, Practitioner]]:
    """Hours that have not ended, by pharmacist and weekday."""
    today = clock_of(session).today()
    query = (
        select(PharmacistHours, Practitioner)
        .join(Practitioner, Practitioner.id == PharmacistHours.practitioner_id)
        .where(
            PharmacistHours.valid_to.is_(None) | (PharmacistHours.valid_to >= today),
            PharmacistHours.day.is_(None) | (PharmacistHours.day >= today),
        )
        .order_by(Practitioner.code, PharmacistHours.weekday, PharmacistHours.day, PharmacistHours.begins)
    )
    return [(row, who) for row, who in (await session.execute(query)).all()]


async def sources(session: AsyncSession) -> Sequence[ScheduleSource]:
    """Departments and doctors for whom somebody has said where slots come from."""
    query = select(ScheduleSource).order_by(
        ScheduleSource.department_code, ScheduleSource.practitioner_id.nulls_first()
    )
    return (await session.scalars(query)).all()
