from hypothesis import given
from hypothesis import strategies as st

from backend.video.aiortc_engine.timeline import Timeline
from backend.video.aiortc_engine.timestamps import Unwrapper


def test_a_sequence_number_goes_on_after_its_wrap() -> None:
    unwrap = Unwrapper(16)

    assert [unwrap(value) for value in (65534, 65535, 0, 1)] == [65534, 65535, 65536, 65537]


def test_a_late_packet_around_the_wrap_is_late() -> None:
    unwrap = Unwrapper(16)

    assert [unwrap(value) for value in (65535, 1, 0, 65534, 2)] == [65535, 65537, 65536, 65534, 65538]


def test_a_timestamp_that_goes_back_a_little_is_no_wrap() -> None:
    unwrap = Unwrapper(32)

    assert [unwrap(value) for value in (1_000_000, 1_003_000, 1_000_000)] == [1_000_000, 1_003_000, 1_000_000]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-(2**31) + 1, 2**31 - 1), max_size=30))
def test_any_walk_of_signed_steps_is_followed(start: int, steps: list[int]) -> None:
    unwrap = Unwrapper(32)
    position = unwrap(start)

    for step in steps:
        position += step
        assert unwrap(position % 2**32) == position


def test_audio_and_video_are_placed_from_where_they_arrived() -> None:
    line = Timeline(origin=100.0)

    assert line.place("audio", 1, 48_000, 48000, 100.0) == 0
    assert line.place("video", 2, 5_000_000, 90000, 100.4) == 400
    assert line.place("audio", 1, 48_960, 48000, 100.5) == 20
    assert line.place("video", 2, 5_003_000, 90000, 100.9) == 433


def test_times_of_one_kind_always_grow() -> None:
    line = Timeline(origin=0.0)

    placed = [line.place("video", 1, ticks, 90000, ticks / 90000) for ticks in (0, 90, 80, 70, 9000)]
    assert placed == [0, 1, 2, 3, 100]


def test_a_new_source_goes_on_where_the_wall_is() -> None:
    line = Timeline(origin=0.0)
    line.place("video", 1, 0, 90000, 0.0)

    assert line.place("video", 2, 777_777, 90000, 5.0) == 5000
    assert line.place("video", 2, 780_777, 90000, 5.1) == 5033


def test_a_media_clock_that_was_set_anew_does_not_make_a_film_of_thirteen_hours() -> None:
    line = Timeline(origin=0.0)
    line.place("video", 1, 0, 90000, 0.0)

    assert line.place("video", 1, 2**31 - 1, 90000, 1.0) == 1000
    assert line.place("video", 1, 2**31 - 1 + 3000, 90000, 1.1) == 1033
