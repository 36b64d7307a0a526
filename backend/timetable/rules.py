"""Spans of a day, which day works as which, when places are released, where a pharmacist is planned. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Protocol
from uuid import UUID

from backend.policy import Policy
from foundation.clock import local, local_day_start
from foundation.errors import Issue

DAY = 24 * 60
"""Minutes of a day. Shanghai keeps no summer time: every day has them all."""
MODES = {"any": "视频或图文", "video": "仅视频", "text": "仅图文"}
WEEKDAYS = "一二三四五六日"
Moments = tuple[datetime, datetime]


class Standing(StrEnum):
    """What the hospital was told about a mirrored place, by its last answer; of others it was told nothing."""

    UNDER_WAY = "under-way"
    """A registration, a move or a cancellation is still to be written: what it says of the slot is not of now."""
    TAKEN = "taken"
    """It has the registration of whoever has the place: busy is our doing."""
    REFUSED = "refused"
    """Somebody there was faster than our patient."""


@dataclass(frozen=True)
class Span:
    """Minutes of a Shanghai day from `begins` up to `ends`, cut into segments of `capacity` places, some kept for a channel."""

    begins: int
    ends: int
    segment: int
    capacity: int
    held_follow_up: int = 0
    held_staff: int = 0
    held_referral: int = 0
    mode: str = "any"
    price_code: str = ""

    @property
    def held(self) -> int:
        """Places of each segment that are kept for somebody."""
        return self.held_follow_up + self.held_staff + self.held_referral


class Dated(Protocol):
    """Something that holds from a day on, and until a day when it has an end."""

    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date | None: ...


class Held(Protocol):
    """A session with its department and hours; `series_id` joins the versions of a weekly one."""

    @property
    def series_id(self) -> UUID | None: ...
    @property
    def department_code(self) -> str: ...
    @property
    def span(self) -> Span: ...


class Weekly(Held, Dated, Protocol):
    """A session of every week; `on_holidays` it is kept too."""

    @property
    def weekday(self) -> int: ...
    @property
    def on_holidays(self) -> bool: ...


class Changed(Held, Protocol):
    """A session of one day: other hours for the one of the series, none (`dropped`), or one of no series."""

    @property
    def day(self) -> date: ...
    @property
    def dropped(self) -> bool: ...


class Marked(Protocol):
    """A day of the calendar: a holiday, or a make-up day that works as another weekday."""

    @property
    def day(self) -> date: ...
    @property
    def kind(self) -> str: ...
    @property
    def as_weekday(self) -> int: ...


@dataclass(frozen=True)
class Sitting:
    """One session of one day."""

    series_id: UUID | None
    department_code: str
    span: Span


def minutes_of(text: str) -> int | None:
    """`08:30` → 510, `24:00` → 1440; None for anything else."""
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == 2 == len(minutes) and text.isascii() and (hours + minutes).isdigit()):
        return None
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total <= DAY else None


def clock_words(minutes: int) -> str:
    """510 → `08:30`; beyond midnight `次日 02:00`."""
    past, rest = divmod(minutes, DAY) if minutes > DAY else (0, minutes)
    return f"{'次日 ' if past else ''}{rest // 60:02d}:{rest % 60:02d}"


def at(day: date, minutes: int) -> datetime:
    """The instant, in UTC, of a minute of a Shanghai day."""
    return local_day_start(day) + timedelta(minutes=minutes)


def day_of(moment: datetime) -> date:
    """Which Shanghai day it is at an instant."""
    return local(moment).date()


def span_issues(span: Span) -> list[Issue]:
    """Everything that is wrong with the form of a session."""
    issues = []
    if span.ends <= span.begins:
        issues.append(Issue("ends", "before_begin", "结束时间要晚于开始时间"))
    elif (span.ends - span.begins) % span.segment:
        issues.append(Issue("segment", "does_not_divide", "出诊时长要能按每段分钟数整除"))
    if span.held > span.capacity:
        issues.append(Issue("held_staff", "more_than_capacity", "各渠道预留之和不能超过每段号数"))
    if span.mode not in MODES:
        issues.append(Issue("mode", "not_allowed", "就诊方式不在可选范围内"))
    return issues


def segments(day: date, span: Span) -> list[Moments]:
    """The span in whole segments, as instants."""
    starts = range(span.begins, span.ends - span.segment + 1, span.segment)
    return [(at(day, start), at(day, start + span.segment)) for start in starts]


def overlap(one: Span, other: Span) -> bool:
    """Whether two spans of a day share a minute."""
    return one.begins < other.ends and other.begins < one.ends


def in_force(row: Dated, day: date) -> bool:
    """Whether it holds on `day`."""
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


def ever_together(one: Dated, other: Dated) -> bool:
    """Whether there is a day on which both hold."""
    ends = [row.valid_to for row in (one, other) if row.valid_to is not None]
    return max(one.valid_from, other.valid_from) <= min(ends, default=date.max)


def sittings(
    day: date, weekly: Iterable[Weekly], changed: Iterable[Changed], calendar: Mapping[date, Marked]
) -> list[Sitting]:
    """What a doctor sits on `day`, by time: the week's sessions as the calendar has them, with that day's changes."""
    mark = calendar.get(day)
    weekday = mark.as_weekday if mark is not None and mark.kind == "workday" else day.isoweekday()
    holiday = mark is not None and mark.kind == "holiday"
    today = [one for one in changed if one.day == day]
    instead: dict[UUID | None, Changed] = {one.series_id: one for one in today if one.series_id is not None}
    found = [
        Sitting(None, one.department_code, one.span)
        for one in today
        if one.series_id is None and not one.dropped
    ]
    for one in weekly:
        if one.weekday != weekday or not in_force(one, day):
            continue
        other = instead.get(one.series_id)
        if other is not None:
            found += [] if other.dropped else [Sitting(one.series_id, other.department_code, other.span)]
        elif one.on_holidays or not holiday:
            found.append(Sitting(one.series_id, one.department_code, one.span))
    return sorted(found, key=lambda sitting: (sitting.span.begins, sitting.span.ends))


def clashes(found: Sequence[Sitting]) -> list[tuple[Sitting, Sitting]]:
    """Neighbours of a day that share a minute; `found` is in the order of time."""
    return [(one, other) for one, other in pairwise(found) if overlap(one.span, other.span)]


def released_at(day: date, policy: Policy) -> datetime:
    """When places of `day` go on sale."""
    return at(day - timedelta(days=policy.release_days), policy.release_at.minutes)


def shares_end_at(starts_at: datetime, policy: Policy) -> datetime:
    """When what is left of the places kept for a channel becomes everybody's."""
    return starts_at - timedelta(hours=policy.shares_end_hours)


def merged(spans: Iterable[Moments]) -> list[Moments]:
    """The same time without overlaps, in order."""
    found: list[Moments] = []
    for begins, ends in sorted(spans):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def covered(ends_at: datetime, duty: Sequence[Moments], policy: Policy) -> bool:
    """Whether a pharmacist is planned from the end of a slot until its review is done (practice.md 12). `duty` is merged."""
    if not policy.pharmacist_cover:
        return True
    reviewed = ends_at + timedelta(minutes=policy.review_minutes)
    return any(begins <= ends_at and reviewed <= ends for begins, ends in duty)
