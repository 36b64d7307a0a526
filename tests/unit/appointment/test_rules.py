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
    assert codes(cancellable_by_patient(starts_at=START, now=at, checked_in=waiting)) == expected  # type: ignore[arg-type]
