"""A timetable for a demo: every filed doctor sits around the clock, because a demo must work at any hour."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner.model import Filing, Practitioner
from backend.pricing.service import visit_price_code
from backend.timetable import keeping
from backend.timetable.model import PharmacistHours, WeeklySession
from backend.timetable.opening import ask_to_open, doctors_who_sit, open_coming_days
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

SESSIONS = ((0, 8, 0), (8, 12, 1), (12, 18, 1), (18, 24, 0))
"""Hours from and to, and places of each hour that are kept for the counter."""
CAPACITY = 6
SHIFTS = ((7, 21), (19, 33))
"""Hours of a day shift and of a night shift; one pharmacist alone works all day."""


async def seed_timetable(session: AsyncSession) -> int:
    """Sessions for doctors who have none, hours for pharmacists if none are planned, and the slots of the coming days."""
    await _pharmacists(session)
    known = set(await session.scalars(select(WeeklySession.practitioner_id).distinct()))
    query = (
        select(Practitioner, Filing.department_code)
        .join(Filing, Filing.practitioner_id == Practitioner.id)
        .where(Practitioner.kind == "doctor", Practitioner.active)
        .order_by(Filing.department_code)
    )
    for doctor, department_code in (await session.execute(query)).all():
        if doctor.id not in known:
            known.add(doctor.id)
            session.add_all(_sessions(session, doctor, department_code))
    await session.flush()
    opened = 0
    for doctor_id in await doctors_who_sit(session):
        opened += (await open_coming_days(session, doctor_id)).opened
    await ask_to_open(session)
    return opened


def _sessions(session: AsyncSession, doctor: Practitioner, department_code: str) -> Sequence[WeeklySession]:
    since = clock_of(session).today() - timedelta(days=1)
    return [
        WeeklySession(
            id=new_id(), series_id=new_id(), version=1, practitioner_id=doctor.id, department_code=department_code,
            weekday=weekday, begins=begins * 60, ends=ends * 60, segment=60, capacity=CAPACITY, held_staff=held,
            mode="any", price_code=visit_price_code(doctor.title_code), on_holidays=True, valid_from=since,
        )
        for weekday in range(1, 8)
        for begins, ends, held in SESSIONS
    ]  # fmt: skip


async def _pharmacists(session: AsyncSession) -> None:
    if await session.scalar(select(PharmacistHours.id).limit(1)) is not None:
        return
    ids: list[UUID] = [one.id for one in await keeping.pharmacists(session)]
    shifts = SHIFTS if len(ids) > 1 else ((0, 24),)
    since = clock_of(session).today() - timedelta(days=2)
    session.add_all(
        PharmacistHours(
            practitioner_id=ids[place], weekday=weekday, begins=begins * 60, ends=ends * 60, valid_from=since
        )
        for place, (begins, ends) in enumerate(shifts[: len(ids)])
        for weekday in range(1, 8)
    )
    await session.flush()
