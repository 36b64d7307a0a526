from datetime import UTC, date, datetime, timedelta

import pytest

from foundation.clock import Clock, local, local_day_start
from foundation.ids import new_id
from tests.database import clock_at, moves_on


def test_the_day_changes_at_midnight_in_shanghai() -> None:
    before = clock_at(datetime(2026, 11, 20, 15, 59, 50, tzinfo=UTC))
    after = clock_at(datetime(2026, 11, 20, 16, 0, 0, tzinfo=UTC))

    assert (before.today(), after.today()) == (date(2026, 11, 20), date(2026, 11, 21))


def test_a_moved_clock_goes_on_from_where_it_was_moved() -> None:
    clock = clock_at(datetime(2026, 11, 20, 1, 0, tzinfo=UTC))
    moves_on(clock, minutes=31)

    assert timedelta(0) <= clock.now() - datetime(2026, 11, 20, 1, 31, tzinfo=UTC) < timedelta(seconds=10)
    assert clock.timestamp() == int(clock.now().timestamp())


def test_a_shanghai_day_starts_at_sixteen_hours_utc() -> None:
    start = local_day_start(date(2026, 11, 20))

    assert start == datetime(2026, 11, 19, 16, 0, tzinfo=UTC)
    assert local(start).isoformat() == "2026-11-20T00:00:00+08:00"


def test_ids_are_version_seven_and_grow() -> None:
    made = [new_id() for _ in range(20_000)]

    assert {one.version for one in made} == {7}
    assert all(one.variant == "specified in RFC 4122" for one in made[:100])
    assert made == sorted(set(made))


def test_an_id_tells_when_it_was_made() -> None:
    milliseconds = new_id().int >> 80

    assert milliseconds == pytest.approx(Clock().now().timestamp() * 1000, abs=5000)
