"""How long a queue takes, said as a range that keeps its word."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backend.waiting.rules import Pace, expected, may_take_over, pace, words

lengths = some.lists(some.floats(1, 120), max_size=20)


def test_a_doctor_is_measured_by_her_own_visits() -> None:
    found = pace([8, 10, 12, 9, 11], [30] * 9, 10)

    assert (found.mean, found.measured) == (10, 5)


def test_with_too_few_of_her_own_the_department_speaks_and_then_the_default() -> None:
    assert pace([8, 10], [20, 22, 24, 26, 28], 10).mean == 24
    assert pace([8, 10], [20], 10) == Pace(10.0, 5.0, 0)


@settings(deadline=None)
@given(own=lengths, department=lengths, default=some.integers(1, 60))
def test_a_pace_is_always_something_to_reckon_with(
    own: list[float], department: list[float], default: int
) -> None:
    found = pace(own, department, default)

    assert found.mean > 0
    assert found.deviation >= found.mean * 0.29


paces = some.builds(Pace, some.floats(1, 60), some.floats(0.5, 30), some.just(20))


@settings(deadline=None)
@given(
    one=paces, ahead=some.integers(0, 30), running=some.lists(some.floats(0, 240), max_size=5),
    until=some.floats(-600, 600),
)  # fmt: skip
def test_a_range_has_two_ends_and_never_promises_more_than_can_be(
    one: Pace, ahead: int, running: list[float], until: float
) -> None:
    found = expected(one, ahead=ahead, running=running, until_slot=until)
    more = expected(one, ahead=ahead + 1, running=running, until_slot=until)

    assert 0 <= found.low <= found.high
    assert found.high >= until
    assert more.high >= found.high
    assert found.low % 5 == found.high % 5 == 0
    assert words(found, ahead=ahead, doctor_busy=bool(running))


@pytest.mark.parametrize("ahead", [1, 2, 4, 8])
def test_about_four_of_five_waits_end_within_the_range(ahead: int) -> None:
    """Visits of a made-up doctor, measured like real ones; 1,000 queues."""
    dice = random.Random(ahead)
    kept = 0
    for _ in range(1000):
        measured = pace([dice.gammavariate(6, 2) for _ in range(20)], [], 10)
        found = expected(measured, ahead=ahead, running=[], until_slot=-1)
        real = sum(dice.gammavariate(6, 2) for _ in range(ahead))
        kept += found.low <= real <= found.high

    assert kept >= 750


@pytest.mark.parametrize(
    ("ahead", "running", "until", "expected_words"),
    [
        (0, [], -1.0, "轮到您了，等待医生接诊，请不要离开"),
        (0, [3.0], -1.0, "医生还在为前一位患者看诊，预计再等 15 分钟以内"),
        (2, [], -1.0, "预计等候 10–30 分钟"),
        (0, [], 38.0, "预计等候 35–40 分钟"),
    ],
)
def test_what_the_patient_reads(ahead: int, running: list[float], until: float, expected_words: str) -> None:
    wait = expected(Pace(10, 5, 20), ahead=ahead, running=running, until_slot=until)

    assert words(wait, ahead=ahead, doctor_busy=bool(running)) == expected_words


def test_why_a_colleague_cannot_take_over() -> None:
    """practice.md 7: a filed colleague; she must be at work, and the patient pays no more and loses nothing."""
    nothing = may_take_over(same=False, filed=True, on_shift=True, running=0, most=5, costs=3000, paid=3000)
    everything = may_take_over(
        same=True, filed=False, on_shift=False, running=5, most=5, costs=3000, paid=5000
    )

    assert nothing == []
    assert [one.code for one in everything] == [
        "same_doctor", "not_licensed", "not_on_shift", "too_many_visits", "cheaper",
    ]  # fmt: skip
