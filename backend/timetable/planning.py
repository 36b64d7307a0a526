"""The plan of one doctor read from the tables, and the slots it asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.policy import policy
from backend.practitioner.model import Filing
from backend.timetable import rules
from backend.timetable.layout import Piece
from backend.timetable.model import (
    CalendarDay,
    DaySession,
    PharmacistHours,
    ScheduleSource,
    Stoppage,
    WeeklySession,
)
from backend.timetable.rules import Moments


@dataclass(frozen=True)
class Plan:
    """What decides about one doctor's slots; `until` is the last day filed for each department (None: without end)."""

    weekly: Sequence[WeeklySession] = ()
    changed: Sequence[DaySession] = ()
    calendar: dict[date, CalendarDay] = field(default_factory=dict)
    stops: Sequence[Stoppage] = ()
    filed: dict[str, date | None] = field(default_factory=dict)
    mirrored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """Slots that should be open, and those that are not for want of a pharmacist."""

    open: list[Piece]
    uncovered: list[Piece]


async def load(session: AsyncSession, practitioner_id: UUID, first: date, last: date) -> Plan:
    """The plan of a doctor for these days."""
    weekly = await session.scalars(
        select(WeeklySession).where(
            WeeklySession.practitioner_id == practitioner_id, WeeklySession.valid_from <= last,
            or_(WeeklySession.valid_to.is_(None), WeeklySession.valid_to >= first),
        )
    )  # fmt: skip
    changed = await session.scalars(
        select(DaySession).where(
            DaySession.practitioner_id == practitioner_id, DaySession.day.between(first, last)
        )
    )
    filings = await session.scalars(select(Filing).where(Filing.practitioner_id == practitioner_id))
    filed = {one.department_code: one.filed_until for one in filings}
    return Plan(
        weekly.all(), changed.all(), await calendar(session, first, last),
        await stops(session, practitioner_id, filed, first, last), filed,
        await mirrored(session, practitioner_id, filed),
    )  # fmt: skip


async def calendar(session: AsyncSession, first: date, last: date) -> dict[date, CalendarDay]:
    """Holidays and make-up days."""
    found = await session.scalars(select(CalendarDay).where(CalendarDay.day.between(first, last)))
    return {one.day: one for one in found}


async def stops(
    session: AsyncSession, practitioner_id: UUID, departments: Iterable[str], first: date, last: date
) -> Sequence[Stoppage]:
    """Of the doctor and of her departments, those that were not lifted."""
    query = select(Stoppage).where(
        or_(Stoppage.practitioner_id == practitioner_id, Stoppage.department_code.in_(list(departments))),
        Stoppage.lifted_at.is_(None), Stoppage.starts_at < rules.at(last, rules.DAY),
        Stoppage.ends_at > rules.at(first, 0),
    )  # fmt: skip
    return (await session.scalars(query)).all()


async def mirrored(
    session: AsyncSession, practitioner_id: UUID, departments: Iterable[str]
) -> frozenset[str]:
    """Departments in which the doctor's slots come from the hospital's system; her own line goes before the department's."""
    query = select(ScheduleSource).where(
        ScheduleSource.department_code.in_(list(departments)),
        or_(ScheduleSource.practitioner_id.is_(None), ScheduleSource.practitioner_id == practitioner_id),
    )
    found: dict[str, str] = {}
    for row in sorted(await session.scalars(query), key=lambda one: one.practitioner_id is not None):
        found[row.department_code] = row.source
    return frozenset(code for code, source in found.items() if source == "his")


async def duty(session: AsyncSession, first: date, last: date) -> list[Moments]:
    """When any pharmacist is planned, from the evening before `first` to the day after `last`, merged."""
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    query = select(PharmacistHours).where(
        PharmacistHours.valid_from <= after,
        or_(PharmacistHours.valid_to.is_(None), PharmacistHours.valid_to >= before),
    )
    rows = (await session.scalars(query)).all()
    spans = [
        (rules.at(day, row.begins), rules.at(day, row.ends))
        for day in days_between(before, after)
        for row in rows
        if rules.in_force(row, day) and (row.day == day or row.weekday == day.isoweekday())
    ]
    return rules.merged(spans)


def days_between(first: date, last: date) -> list[date]:
    """Both ends included."""
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def wanted(plan: Plan, days: Iterable[date], on_duty: Sequence[Moments], now: datetime) -> Wanted:
    """Slots that the plan asks for and that are not over: filed, ours, not stopped, covered."""
    found = Wanted([], [])
    for day in days:
        for sitting in rules.sittings(day, plan.weekly, plan.changed, plan.calendar):
            code, span = sitting.department_code, sitting.span
            if not _may_open(plan, code, day) or not span.capacity:
                continue
            for starts_at, ends_at in rules.segments(day, span):
                if ends_at <= now or _stopped(plan.stops, starts_at, ends_at):
                    continue
                piece = Piece(
                    code, day, starts_at, ends_at, span.capacity, span.held_follow_up, span.held_staff,
                    span.held_referral, span.mode, span.price_code,
                )  # fmt: skip
                covered = rules.covered(ends_at, on_duty, policy())
                (found.open if covered else found.uncovered).append(piece)
    return found


def _may_open(plan: Plan, department_code: str, day: date) -> bool:
    """Filed there on that day, and the hospital's system does not keep the slots."""
    if department_code not in plan.filed or department_code in plan.mirrored:
        return False
    until = plan.filed[department_code]
    return until is None or day <= until


def _stopped(found: Iterable[Stoppage], starts_at: datetime, ends_at: datetime) -> bool:
    return any(stop.starts_at < ends_at and starts_at < stop.ends_at for stop in found)
