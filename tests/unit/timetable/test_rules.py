"""Days, sessions, releases and pharmacists' hours as pure rules."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backend.policy import Policy, TimeOfDay
from backend.timetable import rules
from backend.timetable.rules import DAY, Span

MONDAY = date(2026, 11, 23)
MORNING = Span(480, 720, 60, 6)
POLICY = Policy()


@dataclass(frozen=True)
class Week:
    """A weekly session without a database."""

    span: Span = MORNING
    weekday: int = 1
    series_id: UUID = UUID(int=1)
    department_code: str = "0310"
    on_holidays: bool = False
    valid_from: date = MONDAY - timedelta(days=100)
    valid_to: date | None = None


@dataclass(frozen=True)
class Day:
    """A change of one day."""

    day: date
    span: Span = MORNING
    series_id: UUID | None = UUID(int=1)
    department_code: str = "0310"
    dropped: bool = False


@dataclass(frozen=True)
class Mark:
    """A day of the calendar."""

    day: date
    kind: str
    as_weekday: int = 1


def hours(found: list[rules.Sitting]) -> list[tuple[int, int]]:
    return [(one.span.begins, one.span.ends) for one in found]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("00:00", 0), ("08:30", 510), ("24:00", 1440), ("24:01", None), ("8:30", None), ("08:60", None), ("", None),
     ("０8:30", None), ("-1:00", None)],
)  # fmt: skip
def test_a_time_of_day_is_minutes_or_nothing(text: str, minutes: int | None) -> None:
    assert rules.minutes_of(text) == minutes


def test_minutes_are_said_as_a_clock_shows_them() -> None:
    assert [rules.clock_words(one) for one in (0, 510, 1440, 1560)] == [
        "00:00",
        "08:30",
        "24:00",
        "次日 02:00",
    ]


spans = some.builds(
    lambda begins, count, segment, capacity: Span(begins, begins + count * segment, segment, capacity),
    some.integers(0, 600), some.integers(1, 8), some.sampled_from([5, 10, 15, 20, 30, 60, 90]), some.integers(1, 40),
)  # fmt: skip
days = some.dates(date(2020, 1, 1), date(2040, 12, 31))


@given(day=days, span=spans)
def test_segments_fill_the_span_without_gap_or_overlap_on_any_day(day: date, span: Span) -> None:
    """Shanghai has kept no summer time since 1991: 08:00 is the same distance from midnight on each day."""
    found = rules.segments(day, span)

    assert found[0][0] == rules.at(day, span.begins)
    assert found[-1][1] == rules.at(day, span.ends)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert {ends - begins for begins, ends in found} == {timedelta(minutes=span.segment)}
    assert {rules.day_of(begins) for begins, _ in found} == {day}


@given(day=days)
def test_a_day_of_shanghai_begins_at_four_in_the_afternoon_of_utc(day: date) -> None:
    assert rules.at(day, 8 * 60) == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert rules.at(day, DAY) == rules.at(day + timedelta(days=1), 0)


def test_a_form_that_makes_no_sense_says_every_reason() -> None:
    wrong = Span(480, 730, 60, 2, held_staff=3, mode="telepathy")

    assert [one.field for one in rules.span_issues(wrong)] == ["segment", "held_staff", "mode"]
    assert [one.field for one in rules.span_issues(Span(480, 480, 60, 2))] == ["ends"]
    assert rules.span_issues(MORNING) == []


def test_a_session_is_held_on_its_weekday_while_it_is_valid() -> None:
    week = Week(valid_from=MONDAY, valid_to=MONDAY + timedelta(days=7))

    held = [
        day
        for day in (MONDAY + timedelta(days=ahead) for ahead in range(-14, 28))
        if rules.sittings(day, [week], [], {})
    ]

    assert held == [MONDAY, MONDAY + timedelta(days=7)]


def test_a_version_that_was_replaced_before_it_began_never_holds() -> None:
    week = Week(valid_from=MONDAY, valid_to=MONDAY - timedelta(days=1))

    assert rules.sittings(MONDAY, [week], [], {}) == []


def test_a_holiday_has_only_the_sessions_that_are_kept_on_holidays() -> None:
    """practice.md 10."""
    kept = Week(Span(1200, 1320, 60, 2), series_id=UUID(int=2), on_holidays=True)
    calendar = {MONDAY: Mark(MONDAY, "holiday")}

    assert hours(rules.sittings(MONDAY, [Week(), kept], [], calendar)) == [(1200, 1320)]


def test_a_make_up_saturday_works_as_the_weekday_it_stands_for() -> None:
    saturday = MONDAY + timedelta(days=5)
    own = Week(Span(540, 600, 60, 2), weekday=6, series_id=UUID(int=2))
    calendar = {saturday: Mark(saturday, "workday", as_weekday=1)}

    assert hours(rules.sittings(saturday, [Week(), own], [], calendar)) == [(480, 720)]
    assert hours(rules.sittings(saturday, [Week(), own], [], {})) == [(540, 600)]


def test_a_changed_day_has_its_own_hours_and_only_that_day() -> None:
    other = Day(MONDAY, Span(540, 600, 60, 2))

    assert hours(rules.sittings(MONDAY, [Week()], [other], {})) == [(540, 600)]
    assert hours(rules.sittings(MONDAY + timedelta(days=7), [Week()], [other], {})) == [(480, 720)]


def test_a_dropped_day_has_none_and_an_extra_session_needs_no_week() -> None:
    extra = Day(MONDAY, Span(840, 900, 30, 2), series_id=None)

    assert rules.sittings(MONDAY, [Week()], [Day(MONDAY, dropped=True)], {}) == []
    assert hours(rules.sittings(MONDAY, [Week()], [extra], {})) == [(480, 720), (840, 900)]
    holiday = {MONDAY: Mark(MONDAY, "holiday")}
    assert hours(rules.sittings(MONDAY, [Week()], [extra], holiday)) == [(840, 900)]


def test_a_change_made_for_a_holiday_is_held() -> None:
    calendar = {MONDAY: Mark(MONDAY, "holiday")}

    assert hours(rules.sittings(MONDAY, [Week()], [Day(MONDAY)], calendar)) == [(480, 720)]


sessions = some.lists(spans, max_size=6)


@given(sessions)
def test_sessions_that_meet_are_always_found(found: list[Span]) -> None:
    weekly = [Week(span, series_id=uuid4()) for span in found]
    sat = rules.sittings(MONDAY, weekly, [], {})

    minutes = [minute for one in sat for minute in range(one.span.begins, one.span.ends)]

    assert bool(rules.clashes(sat)) == (len(minutes) != len(set(minutes)))


def test_validity_meets_or_does_not() -> None:
    first = Week(valid_from=MONDAY, valid_to=MONDAY + timedelta(days=6))
    later = Week(valid_from=MONDAY + timedelta(days=7))

    assert not rules.ever_together(first, later)
    assert rules.ever_together(replace(first, valid_to=None), later)
    assert rules.ever_together(first, replace(later, valid_from=MONDAY + timedelta(days=6)))


def test_places_are_released_seven_days_ahead_at_seven() -> None:
    """The hospital's booking rules; both numbers are settings."""
    assert rules.released_at(MONDAY, POLICY) == datetime(2026, 11, 15, 23, 0, tzinfo=UTC)
    later = replace(POLICY, release_days=1, release_at=TimeOfDay("20:30"))
    assert rules.released_at(MONDAY, later) == datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def test_what_is_left_of_a_share_is_everybodys_a_day_before() -> None:
    assert rules.shares_end_at(rules.at(MONDAY, 480), POLICY) == rules.at(MONDAY - timedelta(days=1), 480)


def at(hour: int, minute: int = 0) -> datetime:
    return rules.at(MONDAY, hour * 60 + minute)


def test_a_slot_needs_a_pharmacist_from_its_end_until_the_review_is_done() -> None:
    """practice.md 12; 基本标准 三(三): a pharmacist on duty while prescriptions are written."""
    duty = [(at(8), at(20))]

    assert rules.covered(at(19, 30), duty, POLICY)
    assert not rules.covered(at(19, 31), duty, POLICY)
    assert not rules.covered(at(7, 59), duty, POLICY)
    assert not rules.covered(at(12), [], POLICY)
    assert rules.covered(at(12), [], replace(POLICY, pharmacist_cover=False))


def test_one_pharmacist_may_hand_over_to_another_during_the_review() -> None:
    duty = rules.merged([(at(20), at(32)), (at(8), at(20))])

    assert duty == [(at(8), at(32))]
    assert rules.covered(at(19, 45), duty, POLICY)


moments = some.integers(0, 200).map(lambda minute: at(0, minute))


@given(some.lists(some.tuples(moments, some.integers(1, 60)), max_size=8))
def test_merged_hours_are_the_same_minutes_without_overlap(found: list[tuple[datetime, int]]) -> None:
    pairs = [(begins, begins + timedelta(minutes=length)) for begins, length in found]

    merged = rules.merged(pairs)

    minutes = {at(0, minute) for minute in range(300)}
    inside = {one for one in minutes if any(begins <= one < ends for begins, ends in pairs)}
    assert inside == {one for one in minutes if any(begins <= one < ends for begins, ends in merged)}
    assert all(one[1] < other[0] for one, other in itertools.pairwise(merged))
