"""Structs of the timetable's routes. Hours are `08:30` on a Shanghai clock, `24:00` ends a day; days are ISO dates."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.timetable import rules
from backend.timetable.keeping import hours_words
from backend.timetable.laying import Laid
from backend.timetable.model import (
    CalendarDay,
    DaySession,
    PharmacistHours,
    ScheduleSource,
    WeeklySession,
)
from backend.timetable.rules import Span
from backend.timetable.service import Period
from foundation.errors import Invalid, Issue

Clock = Annotated[str, Meta(pattern="^[0-9]{2}:[0-9]{2}$")]
Weekday = Annotated[int, Meta(ge=1, le=7)]
Places = Annotated[int, Meta(ge=0, le=200)]
Reason = Annotated[str, Meta(min_length=1, max_length=100)]


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when to when, how long each segment is, how many places it has and for whom some are kept."""

    begins: Clock
    ends: Clock
    segment: Annotated[int, Meta(ge=5, le=240)]
    capacity: Annotated[int, Meta(ge=1, le=200)]
    held_follow_up: Places = 0
    held_staff: Places = 0
    held_referral: Places = 0
    mode: Annotated[str, Meta(pattern="^(any|video|text)$")] = "any"
    price_code: Annotated[str, Meta(max_length=40)] = ""

    def span(self) -> Span:
        """As the rules see it; `Invalid` for a time that no clock shows."""
        begins, ends = rules.minutes_of(self.begins), rules.minutes_of(self.ends)
        if begins is None or ends is None:
            wrong = "begins" if begins is None else "ends"
            raise Invalid(issues=[Issue(wrong, "wrong_format", "时间格式应为 08:30")])
        return Span(
            begins, ends, self.segment, self.capacity, self.held_follow_up, self.held_staff, self.held_referral,
            self.mode, self.price_code,
        )  # fmt: skip


class ChangeSession(Hours, frozen=True, kw_only=True):
    """A new version of a weekly session from `valid_from` on."""

    valid_from: date
    valid_to: date | None = None
    on_holidays: bool = False

    def period(self) -> Period:
        """When it holds."""
        return Period(self.valid_from, self.valid_to, self.on_holidays)


class AddSession(ChangeSession, frozen=True, kw_only=True):
    """A doctor sits every week."""

    practitioner_id: UUID
    department_code: Annotated[str, Meta(max_length=20)]
    weekday: Weekday


class EndSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Held for the last time on `last_day`."""

    last_day: date


class ChangeDay(Hours, frozen=True, kw_only=True):
    """Other hours or places on one day."""

    day: date
    reason: Reason


class DropDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Not held on one day."""

    day: date
    reason: Reason


class AddDay(ChangeDay, frozen=True, kw_only=True):
    """One more session on one day."""

    practitioner_id: UUID
    department_code: Annotated[str, Meta(max_length=20)]


class MarkDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A `holiday`, or a make-up `workday` that works as `as_weekday`."""

    day: date
    kind: Annotated[str, Meta(pattern="^(holiday|workday)$")]
    name: Annotated[str, Meta(min_length=1, max_length=40)]
    as_weekday: Weekday | None = None


class ClearDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ordinary day again."""

    day: date


class PlanPharmacist(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every `weekday`, or on one `day`; when `ends` is not after `begins`, it is the next morning."""

    practitioner_id: UUID
    begins: Clock
    ends: Clock
    valid_from: date
    valid_to: date | None = None
    weekday: Weekday | None = None
    day: date | None = None

    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes of the first day."""
        begins, ends = rules.minutes_of(self.begins), rules.minutes_of(self.ends)
        if begins is None or ends is None:
            wrong = "begins" if begins is None else "ends"
            raise Invalid(issues=[Issue(wrong, "wrong_format", "时间格式应为 08:30")])
        return begins, ends if ends > begins else ends + rules.DAY


class ResizeSlot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many places, sold ones included."""

    capacity: Annotated[int, Meta(ge=0, le=200)]


class SetSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the slots of a department, or of one doctor in it, come from."""

    department_code: Annotated[str, Meta(max_length=20)]
    source: Annotated[str, Meta(pattern="^(own|his)$")]
    practitioner_id: UUID | None = None


class LaidView(msgspec.Struct, frozen=True):
    """What became of the slots that are open already; `uncovered` were not opened for want of a pharmacist."""

    opened: int
    changed: int
    closed: int
    uncovered: int


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a weekly session."""

    series_id: UUID
    version: int
    practitioner_id: UUID
    department_code: str
    weekday: int
    begins: str
    ends: str
    segment: int
    capacity: int
    held_follow_up: int
    held_staff: int
    held_referral: int
    mode: str
    price_code: str
    valid_from: date
    valid_to: date | None
    on_holidays: bool
    laid: LaidView | None = None


class DaySessionView(msgspec.Struct, frozen=True, kw_only=True):
    """What is different on one day."""

    id: UUID
    series_id: UUID | None
    practitioner_id: UUID
    department_code: str
    day: date
    dropped: bool
    begins: str
    ends: str
    segment: int
    capacity: int
    reason: str
    laid: LaidView | None = None


class CalendarDayView(msgspec.Struct, frozen=True):
    """A special day."""

    day: date
    kind: str
    name: str
    as_weekday: int


class PharmacistHoursView(msgspec.Struct, frozen=True):
    """Planned hours of a pharmacist; `words` says them."""

    id: UUID
    practitioner_id: UUID
    name: str
    weekday: int | None
    day: date | None
    words: str
    valid_from: date
    valid_to: date | None


class SourceView(msgspec.Struct, frozen=True):
    """Where slots come from, and how the mirror fares; `stale` ones are not sold."""

    id: UUID
    department_code: str
    practitioner_id: UUID | None
    source: str
    read_at: datetime | None
    tried_at: datetime | None
    stale: bool
    problem: str


class UncoveredView(msgspec.Struct, frozen=True):
    """An open slot without a pharmacist after its end."""

    slot_id: UUID
    practitioner_id: UUID
    starts_at: datetime
    ends_at: datetime
    sold: int


class Count(msgspec.Struct, frozen=True):
    """How many."""

    count: int


class DoctorQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One doctor or all."""

    practitioner: UUID | None = None


def laid_view(laid: Laid) -> LaidView:
    """From the work."""
    return LaidView(laid.opened, laid.changed, laid.closed, laid.uncovered)


def session_view(row: WeeklySession, laid: Laid | None = None) -> SessionView:
    """From the row."""
    return SessionView(
        series_id=row.series_id, version=row.version, practitioner_id=row.practitioner_id,
        department_code=row.department_code, weekday=row.weekday, begins=rules.clock_words(row.begins),
        ends=rules.clock_words(row.ends), segment=row.segment, capacity=row.capacity,
        held_follow_up=row.held_follow_up, held_staff=row.held_staff, held_referral=row.held_referral, mode=row.mode,
        price_code=row.price_code, valid_from=row.valid_from, valid_to=row.valid_to, on_holidays=row.on_holidays,
        laid=laid_view(laid) if laid else None,
    )  # fmt: skip


def day_view(row: DaySession, laid: Laid | None = None) -> DaySessionView:
    """From the row."""
    return DaySessionView(
        id=row.id, series_id=row.series_id, practitioner_id=row.practitioner_id, department_code=row.department_code,
        day=row.day, dropped=row.dropped, begins=rules.clock_words(row.begins), ends=rules.clock_words(row.ends),
        segment=row.segment, capacity=row.capacity, reason=row.reason, laid=laid_view(laid) if laid else None,
    )  # fmt: skip


def calendar_view(row: CalendarDay) -> CalendarDayView:
    """From the row."""
    return CalendarDayView(row.day, row.kind, row.name, row.as_weekday)


def hours_view(row: PharmacistHours, name: str) -> PharmacistHoursView:
    """From the row."""
    return PharmacistHoursView(
        row.id,
        row.practitioner_id,
        name,
        row.weekday,
        row.day,
        hours_words(row),
        row.valid_from,
        row.valid_to,
    )


def source_view(row: ScheduleSource, *, stale: bool) -> SourceView:
    """From the row."""
    return SourceView(
        row.id,
        row.department_code,
        row.practitioner_id,
        row.source,
        row.read_at,
        row.tried_at,
        stale,
        row.problem,
    )
