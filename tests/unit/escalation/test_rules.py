"""The ladder: WeChat, text message, duty desk; when, and what goes together."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from backend.escalation.rules import Climb, Kind, Rung, bundle_until, due, next_at
from backend.policy import Policy
from tests.database import MORNING

LIMITS = Policy()
RUNGS = (Rung.WECHAT, Rung.SMS, Rung.DUTY_DESK)


def at(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)


def test_who_waits_is_told_of_by_wechat_then_by_text_then_to_the_duty_desk() -> None:
    nothing = Climb(Kind.VISIT, MORNING, frozenset())

    assert due(nothing, at(-20), LIMITS) == [Rung.WECHAT]
    assert due(nothing, at(2), LIMITS) == [Rung.WECHAT, Rung.SMS]
    assert due(nothing, at(5), LIMITS) == [Rung.WECHAT, Rung.SMS, Rung.DUTY_DESK]


def test_a_prescription_that_came_back_has_more_time() -> None:
    """practice.md 14."""
    told = Climb(Kind.RETURNED, MORNING, frozenset({Rung.WECHAT}))

    assert due(told, at(9), LIMITS) == []
    assert due(told, at(10), LIMITS) == [Rung.SMS]
    assert due(told, at(30), LIMITS) == [Rung.SMS, Rung.DUTY_DESK]


@given(kind=some.sampled_from(Kind), minutes=some.lists(some.integers(-30, 120), min_size=1, max_size=20))
def test_whenever_one_looks_each_rung_is_climbed_once_and_never_before_its_time(
    kind: Kind, minutes: list[int]
) -> None:
    climbed: list[Rung] = []
    for minute in sorted(minutes):
        climb = Climb(kind, MORNING, frozenset(climbed))
        expected = next_at(climb, LIMITS)
        found = due(climb, at(minute), LIMITS)
        assert bool(found) == (expected is not None and expected <= at(minute))
        climbed += found

    assert climbed == [rung for rung in RUNGS if rung in climbed]
    assert len(set(climbed)) == len(climbed)
    assert (next_at(Climb(kind, MORNING, frozenset(RUNGS)), LIMITS)) is None


def test_notices_to_one_doctor_wait_for_one_another() -> None:
    """practice.md 8."""
    assert bundle_until(None, MORNING, LIMITS) is None
    assert bundle_until(at(-0.5), MORNING, LIMITS) == at(0.5)
    assert bundle_until(at(-1), MORNING, LIMITS) is None
