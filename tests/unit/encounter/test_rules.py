"""The acceptance clock, and what keeps a doctor from accepting."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backend.encounter.rules import Moments, clock_start, counted, may_accept, time_left
from backend.policy import Policy
from tests.database import MORNING

PARALLEL = 5
EARLY, LATE = timedelta(minutes=-20), timedelta(minutes=20)
LIMITS = Policy()


def at(minutes: int) -> datetime:
    return MORNING + timedelta(minutes=minutes)


def span(first: int, last: int) -> Moments:
    return at(first), at(last)


spans = some.lists(
    some.tuples(some.integers(-60, 180), some.integers(1, 90)).map(
        lambda pair: span(pair[0], pair[0] + pair[1])
    ),
    max_size=8,
)


@pytest.mark.parametrize(
    ("waits", "counts_from"), [(EARLY, timedelta(0)), (timedelta(0), timedelta(0)), (LATE, LATE)]
)
def test_the_acceptance_clock_starts_at_the_later_of_slot_start_and_check_in(
    waits: timedelta, counts_from: timedelta
) -> None:
    """practice.md 7."""
    assert clock_start(MORNING, MORNING + waits) == MORNING + counts_from


def test_the_clock_stands_still_while_the_doctor_is_in_another_visit() -> None:
    """practice.md 7."""
    service = [span(-60, 120)]

    assert counted(at(0), at(30), service, []) == timedelta(minutes=30)
    assert counted(at(0), at(30), service, [span(5, 15), span(10, 20)]) == timedelta(minutes=15)
    assert counted(at(0), at(30), service, [span(-10, 60)]) == timedelta(0)


def test_the_clock_runs_in_service_time_only() -> None:
    """practice.md 7, 10: over lunch nobody is late."""
    assert counted(at(0), at(90), [span(-60, 20), span(80, 200)], []) == timedelta(minutes=30)
    assert counted(at(0), at(90), [], []) == timedelta(0)


def test_before_its_start_nothing_is_counted() -> None:
    assert counted(at(10), at(0), [span(-60, 60)], []) == timedelta(0)


@settings(deadline=None)
@given(service=spans, busy=spans, length=some.integers(0, 200))
def test_the_clock_counts_each_minute_of_service_in_which_the_doctor_was_free(
    service: list[Moments], busy: list[Moments], length: int
) -> None:
    """The same, minute by minute."""
    slow = sum(
        any(begins <= at(minute) < ends for begins, ends in service)
        and not any(begins <= at(minute) < ends for begins, ends in busy)
        for minute in range(length)
    )

    assert counted(at(0), at(length), service, busy) == timedelta(minutes=slow)


@settings(deadline=None)
@given(service=spans, busy=spans, first=some.integers(0, 200), more=some.integers(0, 60))
def test_the_clock_never_runs_back(
    service: list[Moments], busy: list[Moments], first: int, more: int
) -> None:
    earlier = counted(at(0), at(first), service, busy)
    later = counted(at(0), at(first + more), service, busy)

    assert timedelta(0) <= earlier <= later <= earlier + timedelta(minutes=more)


@pytest.mark.parametrize(
    ("counted_minutes", "waited", "kept", "expected"),
    [
        (0, 0, False, 30),
        (20, 100, False, 10),
        (30, 30, False, 0),
        (5, 175, False, 5),
        (30, 60, True, 120),
        (0, 200, True, -20),
    ],
)
def test_waiting_ends_with_the_clock_or_with_the_limit(
    counted_minutes: int, waited: int, kept: bool, expected: int
) -> None:
    left = time_left(
        LIMITS, counted=timedelta(minutes=counted_minutes), waited=timedelta(minutes=waited), kept=kept
    )

    assert left == timedelta(minutes=expected)


@pytest.mark.parametrize(
    ("confirmed", "checked_in", "running", "expected"),
    [
        (True, True, 0, []),
        (True, True, PARALLEL - 1, []),
        (True, True, PARALLEL, ["too_many_visits"]),
        (False, True, 0, ["follow_up_not_confirmed"]),
        (False, False, PARALLEL, ["follow_up_not_confirmed", "not_waiting", "too_many_visits"]),
    ],
)
def test_what_keeps_a_doctor_from_accepting(
    confirmed: bool, checked_in: bool, running: int, expected: list[str]
) -> None:
    """诊疗办法 Art 16: the doctor establishes that it is a follow-up; practice.md 8: parallel visits have a maximum."""
    found = may_accept(confirmed=confirmed, checked_in=checked_in, running=running, most=PARALLEL)

    assert [issue.code for issue in found] == expected
