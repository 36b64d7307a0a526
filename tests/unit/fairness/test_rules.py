"""Quotas, pauses and the order of a draw."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backend.fairness.rules import Wish, allot, order_of, pause_after, quota_issues
from backend.policy import Policy, Rate

NOW = datetime(2026, 11, 20, 1, 10, tzinfo=UTC)
LIMITS = Policy()
people = some.uuids(version=4)


def days_ago(*days: int) -> list[datetime]:
    return [NOW - timedelta(days=one) for one in days]


def test_quotas_count_the_day_and_the_doctor() -> None:
    """NX03: however many accounts act for one id number, the person holds no more than this."""
    assert quota_issues(LIMITS, on_day=2, with_doctor=0) == []
    assert [one.code for one in quota_issues(LIMITS, on_day=3, with_doctor=0)] == ["quota_used"]
    assert [one.code for one in quota_issues(LIMITS, on_day=1, with_doctor=1)] == ["doctor_quota_used"]
    assert quota_issues(Policy(quota_doctor_day=2), on_day=1, with_doctor=1) == []


@pytest.mark.parametrize(
    ("days", "pauses"),
    [
        ([], False),
        ([1, 2], False),
        ([1, 2, 3], True),
        ([0, 45, 90], True),
        ([0, 45, 91], False),
        ([5, 6, 7, 400], True),
    ],
)
def test_three_absences_within_the_window_pause_booking(days: list[int], pauses: bool) -> None:
    assert (pause_after(LIMITS, days_ago(*days)) is not None) is pauses


def test_a_pause_begins_with_the_newest_absence_and_has_its_length() -> None:
    assert pause_after(Policy(noshow_pause_days=7), days_ago(9, 3, 1)) == (
        NOW - timedelta(days=1),
        NOW + timedelta(days=6),
    )


@settings(deadline=None)
@given(seed=some.binary(min_size=32, max_size=32), persons=some.lists(people, unique=True, max_size=40))
def test_the_draw_does_not_know_who_came_first(seed: bytes, persons: list[UUID]) -> None:
    order = order_of(seed, persons)

    assert sorted(order) == sorted(persons)
    assert order_of(seed, reversed(persons)) == order


def test_everybody_has_the_same_chance_wherever_she_arrived() -> None:
    """Ten persons, a thousand draws, one place: nobody's share strays far from a tenth (±4 standard deviations)."""
    persons = [UUID(int=number) for number in range(10)]
    won = Counter(order_of(number.to_bytes(4, "big"), persons)[0] for number in range(1000))

    assert all(62 <= won[person] <= 138 for person in persons), won


@some.composite
def draws(draw: some.DrawFn) -> tuple[list[Wish], dict[UUID, int]]:
    """Wishes in their order, and free places."""
    slots = [UUID(int=number) for number in range(4)]
    wished = some.lists(some.sampled_from(slots), min_size=1, max_size=4, unique=True).map(tuple)
    wishes = draw(some.lists(some.builds(Wish, person=people, slots=wished), max_size=30))
    return wishes, {slot: draw(some.integers(0, 4)) for slot in slots}


@settings(deadline=None)
@given(case=draws())
def test_places_go_in_the_order_of_the_draw_and_never_further_than_they_last(
    case: tuple[list[Wish], dict[UUID, int]],
) -> None:
    wishes, free = case

    given_to = allot(wishes, free)

    used = Counter(given_to.values())
    assert all(used[slot] <= free[slot] for slot in used)
    first: dict[UUID, Wish] = {}
    for wish in wishes:
        first.setdefault(wish.person, wish)
    assert all(slot in first[person].slots for person, slot in given_to.items())
    for person, wish in first.items():
        if person not in given_to:
            assert all(used[slot] == free.get(slot, 0) for slot in wish.slots)


@settings(deadline=None)
@given(case=draws())
def test_nobody_later_in_the_draw_takes_what_somebody_earlier_wished_more(
    case: tuple[list[Wish], dict[UUID, int]],
) -> None:
    """Serial dictatorship: cutting the list short changes nothing for those who are left."""
    wishes, free = case
    for length in range(len(wishes)):
        short = allot(wishes[:length], free)
        assert short.items() <= allot(wishes, free).items()


@pytest.mark.parametrize("text", ["", "3", "3/", "/3", "3/0", "-1/3", "3/90000", "a/b"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - int() has words of its own
        Rate(text)


def test_a_policy_names_every_number_that_makes_no_sense() -> None:
    problems = Policy(quota_person_day=0, draw_seconds=-1, noshow_limit=0).policy_problems()

    assert [one.split()[0] for one in problems] == ["QUOTA_PERSON_DAY", "NOSHOW_LIMIT", "DRAW_SECONDS"]
