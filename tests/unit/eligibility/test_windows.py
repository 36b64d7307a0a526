"""One calendar month: the facts' figures as samples, and the properties that make them come out (facts of the clinic, 5)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.eligibility.window import Window, add_months

MONTH = Window(months=1)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=one) for one in range((last - first).days + 1)]


def test_a_month_is_not_thirty_days_on_961_of_1461_days() -> None:
    days = every_day(date(2024, 1, 1), date(2027, 12, 31))

    other = [day for day in days if MONTH.last(day) != day + timedelta(days=30)]

    assert (len(other), len(days)) == (961, 1461)


def test_going_back_a_month_is_another_rule() -> None:
    """Forward and backward disagree at month ends, so that only one of them may be asked: forward."""
    disagree = []
    for visit in every_day(date(2024, 1, 1), date(2024, 12, 31)):
        for day in every_day(visit, visit + timedelta(days=32)):
            forward, backward = day <= add_months(visit, 1), add_months(day, -1) <= visit
            if forward != backward:
                disagree.append((visit, day))

    assert len(disagree) == 6
    assert (date(2024, 2, 29), date(2024, 3, 31)) in disagree
    assert (date(2024, 6, 30), date(2024, 7, 31)) in disagree
    assert all(visit <= day for visit, day in disagree)


@pytest.mark.parametrize(
    ("visit", "month", "thirty"),
    [
        (date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 2)),
        (date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 1)),
        (date(2026, 8, 31), date(2026, 9, 30), date(2026, 9, 30)),
        (date(2026, 11, 10), date(2026, 12, 10), date(2026, 12, 10)),
        (date(2026, 12, 31), date(2027, 1, 31), date(2027, 1, 30)),
    ],
)
def test_months_and_days_are_two_windows(visit: date, month: date, thirty: date) -> None:
    assert (MONTH.last(visit), Window(days=30).last(visit)) == (month, thirty)


@given(DAYS, st.integers(1, 12))
def test_a_later_visit_never_ends_its_window_earlier(day: date, months: int) -> None:
    window = Window(months=months)

    assert window.last(day) <= window.last(day + timedelta(days=1))


@given(DAYS, st.integers(1, 12))
def test_a_month_is_as_long_as_the_month_it_begins_in_at_the_most(day: date, months: int) -> None:
    length = (Window(months=months).last(day) - day).days

    assert 28 * months <= length <= 31 * months


@given(DAYS, st.integers(1, 365))
def test_days_are_days(day: date, days: int) -> None:
    assert (Window(days=days).last(day) - day).days == days
