"""Doctors with an empty week, and sessions for them."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.schedule.model import Slot
from backend.timetable import service
from backend.timetable.laying import Laid
from backend.timetable.model import WeeklySession
from backend.timetable.rules import Span, at
from backend.timetable.service import Period
from foundation.actor import Actor
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id
from tests.small_world import DOCTOR, SECOND_DOCTOR, Member

MANAGER = Actor("staff", new_id(), frozenset({"schedule_manager"}), "排班员")
MORNING = Span(480, 720, 60, 6)
TODAY = date(2026, 11, 20)
"""A Friday; the clock of a test shows ten past nine."""
MONDAY = TODAY + timedelta(days=3)


async def an_empty_week(session: AsyncSession, *doctors: Member) -> None:
    """As if she had never sat."""
    ids = [one.id for one in doctors or (DOCTOR, SECOND_DOCTOR)]
    await session.execute(delete(Slot).where(Slot.practitioner_id.in_(ids)))
    await session.execute(delete(WeeklySession).where(WeeklySession.practitioner_id.in_(ids)))


async def sits(
    session: AsyncSession, doctor: Member = DOCTOR, *, weekday: int = 1, span: Span = MORNING, since: date | None = None,
    until: date | None = None, department: str = "0310", **period: Any,
) -> tuple[WeeklySession, Laid]:  # fmt: skip
    """Every week."""
    held = Period(since or clock_of(session).today(), until, **period)
    return await service.add_session(
        session, MANAGER, practitioner_id=doctor.id, department_code=department, weekday=weekday, span=span, period=held,
    )  # fmt: skip


async def slots(session: AsyncSession, doctor: Member = DOCTOR, day: date | None = None) -> list[Slot]:
    """All of hers by time, stopped ones too."""
    query = select(Slot).where(Slot.practitioner_id == doctor.id).order_by(Slot.starts_at)
    if day is not None:
        query = query.where(Slot.day == day)
    return list(await session.scalars(query.execution_options(populate_existing=True)))


async def on_sale(session: AsyncSession, day: date, doctor: Member = DOCTOR) -> list[tuple[str, int]]:
    """`08:00` and places of what is not stopped on a day."""
    found = await slots(session, doctor, day)
    return [(words(one.starts_at, day), one.capacity) for one in found if one.stopped_at is None]


def words(moment: datetime, day: date) -> str:
    minutes = int((moment - at(day, 0)).total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


async def sell(session: AsyncSession, slot: Slot, places: int = 1) -> None:
    """Somebody has so many places, as the counter says."""
    slot.remaining -= places
    slot.taken += places
    await session.flush()
