"""What the schedule desk shows: a department's week, a doctor's week, one day slot by slot. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.schedule.model import Slot
from backend.timetable import mirroring, planning, queries, rules
from backend.timetable.model import CalendarDay, DaySession, PharmacistHours, ScheduleSource, WeeklySession
from foundation.db.unit_of_work import clock_of

PARTS = (("夜间", 0, 480), ("上午", 480, 720), ("下午", 720, 1080), ("晚上", 1080, 1440))


@dataclass
class Box:
    """Slots of a part of a day together: places and how many are sold, over those that are not stopped."""

    capacity: int = 0
    sold: int = 0
    slots: int = 0
    stopped: int = 0
    stale: int = 0
    unreleased: int = 0

    def add(self, slot: Slot, now: datetime) -> None:
        """Count one more."""
        self.slots += 1
        if slot.stopped_at is not None:
            self.stopped += 1
            return
        self.capacity += slot.capacity
        self.sold += slot.capacity - slot.remaining
        self.stale += slot.fresh_until is not None and slot.fresh_until <= now
        self.unreleased += slot.released_at is not None and slot.released_at > now

    @property
    def tone(self) -> str:
        """The colour of the box."""
        if self.slots and self.stopped == self.slots:
            return "stopped"
        if self.stale:
            return "stale"
        if not self.slots:
            return "none"
        if self.unreleased == self.slots - self.stopped:
            return "soon"
        return "full" if self.sold >= self.capacity else "open"


@dataclass
class DoctorRow:
    """A doctor of a department with her week: boxes by day and part."""

    doctor: Practitioner
    boxes: dict[date, list[Box]]

    @property
    def parts(self) -> list[int]:
        """Parts of the day in which she has anything in these days; one at least."""
        used = [place for place in range(len(PARTS)) if any(row[place].slots for row in self.boxes.values())]
        return used or [1]


@dataclass
class Sat:
    """One session of one day: `kind` is weekly, changed, extra or dropped; `change_id` undoes what is different."""

    kind: str
    span: rules.Span
    department_code: str
    series_id: UUID | None
    box: Box = field(default_factory=Box)
    change_id: UUID | None = None
    reason: str = ""
    uncovered: int = 0
    over: bool = False


@dataclass
class Group:
    """Sessions (or hours) that differ in nothing but the weekday."""

    first: Any
    rows: list[Any]

    @property
    def words(self) -> str:
        """`每天`, `周一至周五`, `周一、周三`."""
        return weekdays_in_words([row.weekday for row in self.rows])


def weekdays_in_words(found: Sequence[int]) -> str:
    """1 is Monday."""
    days = sorted(set(found))
    if len(days) == 7:
        return "每天"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"周{rules.WEEKDAYS[days[0] - 1]}至周{rules.WEEKDAYS[days[-1] - 1]}"
    return "、".join(f"周{rules.WEEKDAYS[day - 1]}" for day in days)


@dataclass
class Day:
    """A day of a doctor: special day of the calendar, sessions by time, and whether it is opened already."""

    day: date
    mark: CalendarDay | None
    sessions: list[Sat]
    opened: bool
    slots: list[Slot] = field(default_factory=list)


def week_from(first: date) -> list[date]:
    """Seven days."""
    return [first + timedelta(days=ahead) for ahead in range(7)]


def minute_of(moment: datetime, day: date) -> int:
    """Minutes since the midnight of `day` in Shanghai."""
    return int((moment - rules.at(day, 0)).total_seconds()) // 60


async def department_week(
    session: AsyncSession, doctors: Sequence[Practitioner], department_code: str, first: date
) -> list[DoctorRow]:
    """Every doctor of a department, a box for each part of each day."""
    now = clock_of(session).now()
    rows = {
        one.id: DoctorRow(one, {day: [Box() for _ in PARTS] for day in week_from(first)}) for one in doctors
    }
    query = select(Slot).where(
        Slot.department_code == department_code, Slot.day.between(first, first + timedelta(days=6)),
        Slot.practitioner_id.in_(rows),
    )  # fmt: skip
    for slot in await session.scalars(query):
        minute = minute_of(slot.starts_at, slot.day)
        part = next(place for place, (_, begins, ends) in enumerate(PARTS) if begins <= minute < ends)
        rows[slot.practitioner_id].boxes[slot.day][part].add(slot, now)
    return list(rows.values())


async def doctor_days(session: AsyncSession, doctor: Practitioner, days: Sequence[date]) -> list[Day]:
    """Sessions and slots of a doctor on these days, as the plan has them and as they were sold."""
    first, last = days[0], days[-1]
    plan = await planning.load(session, doctor.id, first, last)
    changes = await queries.changed_days(session, doctor.id, first, last)
    on_duty = await planning.duty(session, first, last)
    slots: dict[date, list[Slot]] = defaultdict(list)
    query = select(Slot).where(Slot.practitioner_id == doctor.id, Slot.day.between(first, last))
    for slot in await session.scalars(query.order_by(Slot.starts_at)):
        slots[slot.day].append(slot)
    now, today = clock_of(session).now(), clock_of(session).today()
    horizon = today + timedelta(days=policy().open_days)
    return [
        Day(
            day, plan.calendar.get(day),
            _sessions(day, plan, [one for one in changes if one.day == day], slots[day], on_duty, now),
            opened=today <= day <= horizon, slots=slots[day],
        )
        for day in days
    ]  # fmt: skip


def _sessions(
    day: date, plan: planning.Plan, changes: Sequence[DaySession], slots: Iterable[Slot],
    on_duty: Sequence[rules.Moments], now: datetime,
) -> list[Sat]:  # fmt: skip
    by_series: dict[UUID | None, DaySession] = {
        one.series_id: one for one in changes if one.series_id is not None
    }
    extra = [one for one in changes if one.series_id is None]
    found = []
    for sitting in rules.sittings(day, plan.weekly, plan.changed, plan.calendar):
        change = by_series.get(sitting.series_id) or next(
            (one for one in extra if sitting.series_id is None and one.span == sitting.span), None
        )
        kind = "weekly" if change is None else "extra" if sitting.series_id is None else "changed"
        found.append(Sat(kind, sitting.span, sitting.department_code, sitting.series_id))
        if change is not None:
            found[-1].change_id, found[-1].reason = change.id, change.reason
    found += [
        Sat("dropped", one.span, one.department_code, one.series_id, change_id=one.id, reason=one.reason)
        for one in changes
        if one.dropped
    ]
    for one in found:
        for slot in slots:
            if one.span.begins <= minute_of(slot.starts_at, day) < one.span.ends and one.kind != "dropped":
                one.box.add(slot, now)
        one.uncovered = sum(
            not rules.covered(ends, on_duty, policy())
            for _, ends in rules.segments(day, one.span)
            if one.kind != "dropped"
        )
        one.over = rules.at(day, one.span.ends) <= now
    return sorted(found, key=lambda one: one.span.begins)


async def stale_sources(session: AsyncSession) -> list[ScheduleSource]:
    """Mirrors that were not read in time: the banner of every schedule page."""
    now = clock_of(session).now()
    return [row for row in await queries.sources(session) if mirroring.stale(row, now)]


async def current_sessions(session: AsyncSession, doctor: Practitioner) -> list[Group]:
    """The weekly sessions of a doctor, those that differ only in the weekday together, by hour."""
    found: dict[Any, list[WeeklySession]] = defaultdict(list)
    for row in await queries.weekly(session, doctor.id):
        key = (row.span, row.department_code, row.on_holidays, row.valid_from, row.valid_to)
        found[key].append(row)
    return sorted(
        (Group(rows[0], sorted(rows, key=lambda one: one.weekday)) for rows in found.values()),
        key=lambda group: (group.first.begins, group.first.valid_from, group.rows[0].weekday),
    )


async def pharmacists_plan(session: AsyncSession) -> list[tuple[Practitioner, Group]]:
    """Planned hours, those of one pharmacist that differ only in the weekday together."""
    found: dict[Any, list[PharmacistHours]] = defaultdict(list)
    people = {}
    for row, who in await queries.pharmacists_hours(session):
        people[who.id] = who
        found[who.id, row.day, row.begins, row.ends, row.valid_to].append(row)
    return [(people[key[0]], Group(rows[0], rows)) for key, rows in found.items()]
