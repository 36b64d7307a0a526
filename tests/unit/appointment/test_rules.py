from datetime import timedelta

import pytest

from backend.appointment.rules import bookable, cancellable_by_patient, check_in_window
from backend.policy import Policy
from foundation.errors import Issue
from tests.database import MORNING as START

END = START + timedelta(hours=1)
SECOND = timedelta(seconds=1)
LIMITS = Policy()


def codes(issues: list[Issue]) -> list[str]:
    return [issue.code for issue in issues]


@pytest.mark.parametrize(
    ("at", "expected"), [(END - SECOND, []), (END, ["slot_over"]), (END + SECOND, ["slot_over"])]
)
def test_a_slot_can_be_booked_until_it_ends(at: object, expected: list[str]) -> None:
    assert codes(bookable(ends_at=END, now=at)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (START - LIMITS.check_in_early - SECOND, ["too_early"]),
        (START - LIMITS.check_in_early, []),
        (START, []),
        (END - SECOND, []),
        (END, ["too_late"]),
    ],
)
def test_waiting_begins_half_an_hour_before_and_ends_with_the_slot(at: object, expected: list[str]) -> None:
    assert codes(check_in_window(LIMITS, starts_at=START, ends_at=END, now=at)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "waiting", "expected"),
    [
        (START - SECOND, False, []),
        (START, False, ["too_late"]),
        (START, True, []),
        (END + SECOND, True, []),
    ],
)
def test_a_patient_cancels_before_the_start_or_while_she_waits(
    at: object, waiting: bool, expected: list[str]
) -> None:
    """practice.md 17: patient cancels before and after the cut-off."""
    found = cancellable_by_patient(
        starts_at=START,
        now=at,  # type: ignore[arg-type]
        checked_in=waiting,
        free_until=START - SECOND,
    )
    assert codes(found) == expected


@pytest.mark.parametrize(("late", "expected"), [(0, []), (1, ["too_late"])])
def test_within_the_grace_after_paying_she_cancels_a_slot_that_has_begun(
    late: int, expected: list[str]
) -> None:
    """Rule A01: whatever the slot."""
    until = START + timedelta(minutes=10)

    found = cancellable_by_patient(
        starts_at=START, now=until + late * SECOND, checked_in=False, free_until=until
    )

    assert codes(found) == expected
