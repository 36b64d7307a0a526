"""Rates and the circuit breaker, by a clock that the test moves."""

import pytest

from foundation.errors import Busy, TooMany
from front_gateway.breaker import Breaker
from front_gateway.rates import Limits, TokenBucket


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_burst_is_let_through_and_then_one_at_a_time() -> None:
    hand = Hand()
    bucket = TokenBucket(2, 3, hand)
    for _ in range(3):
        bucket.take()

    with pytest.raises(TooMany) as refused:
        bucket.take()
    hand.at += 0.5
    bucket.take()

    assert refused.value.retry_after == 1


def test_a_bucket_never_holds_more_than_a_burst() -> None:
    hand = Hand()
    bucket = TokenBucket(100, 2, hand)
    hand.at += 1_000
    bucket.take()
    bucket.take()

    with pytest.raises(TooMany):
        bucket.take()


def test_calls_at_once_are_counted_and_given_back() -> None:
    limits = Limits(TokenBucket(1_000, 1_000), 1)

    with limits.admitted(), pytest.raises(Busy), limits.admitted():
        pass
    with limits.admitted():
        pass


def opened(hand: Hand) -> Breaker:
    breaker = Breaker(3, 5, hand)
    for _ in range(3):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_the_breaker() -> None:
    breaker = opened(Hand())

    assert breaker.is_open
    assert not breaker.admit()
    assert breaker.retry_after() == 5


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(3, 5, Hand())
    for outcome in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        assert breaker.admit()
        outcome()

    assert breaker.admit()


def test_after_a_while_one_call_may_try() -> None:
    hand = Hand()
    breaker = opened(hand)
    hand.at += 5

    assert breaker.admit()
    assert not breaker.admit()
    breaker.succeeded()
    assert breaker.admit()
    assert not breaker.is_open


def test_a_failed_try_opens_it_again_at_once() -> None:
    hand = Hand()
    breaker = opened(hand)
    hand.at += 5
    assert breaker.admit()
    breaker.failed()

    assert not breaker.admit()
    hand.at += 5
    assert breaker.admit()


def test_a_try_that_says_nothing_lets_the_next_one_try() -> None:
    hand = Hand()
    breaker = opened(hand)
    hand.at += 5
    assert breaker.admit()
    breaker.abandoned()

    assert breaker.admit()
