"""What a way through the network shows, on networks made of arithmetic."""

import pytest

from backend.video.pacing import PIECE, PIECES, Pace
from backend.video.rules import Measured, network_issues

KBIT = 1000


def measured(rate: float, round_trip: float, seconds: float = 1.6) -> tuple[int, int, float]:
    """Over a line of `rate` bit/s: the bitrate found, pieces left under way at the end, seconds taken."""
    pace, now, free = Pace(0, round_trip), 0.0, 0.0
    under_way: list[float] = []
    while not pace.done and now < seconds:
        for _ in range(pace.due(now)):
            free = max(now, free) + PIECE * 8 / rate
            under_way.append(free + round_trip)
        now = under_way.pop(0)
        if now < seconds:
            pace.arrived(now)
    return pace.bitrate(min(now, seconds)), len(under_way), now


@pytest.mark.parametrize("rate", [100 * KBIT, 200 * KBIT, 500 * KBIT, 1000 * KBIT])
@pytest.mark.parametrize("round_trip", [0.02, 0.15])
def test_a_steady_line_is_found_as_it_is(rate: float, round_trip: float) -> None:
    found, _, _ = measured(rate, round_trip)

    assert 0.8 * rate <= found <= 1.15 * rate


def test_a_fast_line_is_done_at_once() -> None:
    found, _, seconds = measured(50_000 * KBIT, 0.02)

    assert found > 2000 * KBIT
    assert seconds < 0.6


def test_a_long_way_is_not_taken_for_a_slow_one() -> None:
    found, _, _ = measured(20_000 * KBIT, 0.5)

    assert found > 300 * KBIT


def test_a_slow_line_is_not_stuffed_with_pieces() -> None:
    _, under_way, _ = measured(64 * KBIT, 0.1)

    assert under_way <= 3


def test_a_line_that_breaks_off_is_not_praised_for_its_beginning() -> None:
    pace = Pace(0, 0.02)
    pace.due(0)
    pace.arrived(0.01)
    pace.arrived(0.02)

    assert pace.bitrate(1.6) < 50 * KBIT


def test_where_nothing_comes_back_there_is_nothing() -> None:
    pace = Pace(0, 0.02)
    pace.due(0)

    assert pace.bitrate(1.6) == 0


def test_no_more_is_given_than_was_meant_to_be() -> None:
    pace, given = Pace(0, 0.02), 0
    while not pace.done:
        given += (count := pace.due(0.0))
        for _ in range(count):
            pace.arrived(0.001)

    assert given == PIECES
    assert pace.due(0.0) == 0


def test_each_direction_that_carries_too_little_is_named() -> None:
    slow = network_issues(Measured(120_000, 250_000, 80), 300_000)

    assert [(issue.field, issue.message) for issue in slow] == [
        ("up", "上传约 120 kbit/s，视频至少需要 300 kbit/s"), ("down", "下载约 250 kbit/s，视频至少需要 300 kbit/s"),
    ]  # fmt: skip
    assert network_issues(Measured(300_000, 300_000, 3000), 300_000) == []
    assert network_issues(Measured(0, 0, 0), 0) == []
