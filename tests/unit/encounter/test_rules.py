from datetime import timedelta

import pytest

from backend.encounter.rules import ACCEPT_WITHIN, PARALLEL, acceptance_deadline, may_accept
from tests.database import MORNING

EARLY, LATE = timedelta(minutes=-20), timedelta(minutes=20)


@pytest.mark.parametrize(
    ("waits", "counts_from"), [(EARLY, timedelta(0)), (timedelta(0), timedelta(0)), (LATE, LATE)]
)
def test_the_acceptance_clock_starts_at_the_later_of_slot_start_and_check_in(
    waits: timedelta, counts_from: timedelta
) -> None:
    """practice.md 7."""
    assert acceptance_deadline(MORNING, MORNING + waits) == MORNING + counts_from + ACCEPT_WITHIN


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
    found = may_accept(confirmed=confirmed, checked_in=checked_in, running=running)

    assert [issue.code for issue in found] == expected
