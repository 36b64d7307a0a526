import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.video.recording.timeline import Source, Timeline
from backend.video.recording.timestamps import Unwrapper


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


AUDIO, VIDEO = Source("audio", 1, 48000), Source("video", 2, 90000)


def arrived(line: Timeline, source: Source, *packets: tuple[float, float]) -> None:
    """Packets as (seconds of the media clock, seconds of arrival)."""
    for media, arrival in packets:
        line.packet(source, round(media * source.clock_rate), arrival)


def test_audio_and_video_are_placed_from_where_they_arrived() -> None:
    line = Timeline(origin=100.0)

    assert line.place(AUDIO, 48_000, 100.0) == 0
    assert line.place(VIDEO, 5_000_000, 100.4) == 400
    assert line.place(AUDIO, 48_960, 100.5) == 20
    assert line.place(VIDEO, 5_003_000, 100.9) == 433


def test_times_of_one_kind_always_grow() -> None:
    line = Timeline(origin=0.0)

    placed = [line.place(VIDEO, ticks, ticks / 90000) for ticks in (0, 90, 80, 70, 9000)]
    assert placed == [0, 1, 2, 3, 100]


def test_a_new_source_goes_on_where_the_wall_is() -> None:
    line, other = Timeline(origin=0.0), VIDEO._replace(ssrc=99)
    line.place(VIDEO, 0, 0.0)

    assert line.place(other, 777_777, 5.0) == 5000
    assert line.place(other, 780_777, 5.1) == 5033


def test_a_media_clock_that_was_set_anew_does_not_make_a_film_of_thirteen_hours() -> None:
    line, ahead = Timeline(origin=0.0), 2**31 - 1
    line.place(VIDEO, 0, 0.0)

    for step, arrival in ((0, 1.0), (3000, 1.1)):
        line.packet(VIDEO, ahead + step, arrival)
    assert line.place(VIDEO, ahead, 1.0) == pytest.approx(1000, abs=70)
    assert line.place(VIDEO, ahead + 3000, 1.1) == pytest.approx(1033, abs=70)


def test_a_picture_that_was_late_on_its_way_is_not_late_in_the_film() -> None:
    """A keyframe arrives as a burst, on a busy machine later still; the voice beside it does not wait."""
    line = Timeline(origin=0.0)
    arrived(line, AUDIO, (0.0, 0.0), (0.02, 0.02))
    arrived(line, VIDEO, (0.0, 0.3), (0.033, 0.31), (0.3, 0.3))

    assert line.place(AUDIO, 0, 0.0) == 0
    assert line.place(VIDEO, 0, 0.3) == 0
    assert line.place(VIDEO, 2970, 0.31) == 33


def test_the_senders_reports_decide_how_picture_and_voice_lie_to_each_other() -> None:
    line = Timeline(origin=10.0)
    arrived(line, AUDIO, (0.0, 10.0))
    arrived(line, VIDEO, (0.0, 10.5))

    line.report(AUDIO, 5000.0, 0)
    line.report(VIDEO, 5000.1, 0)  # taken 0.1 s after the voice, not 0.5

    assert line.place(AUDIO, 0, 10.0) == 0
    assert line.place(VIDEO, 0, 10.5) == 100


def test_a_correction_is_made_in_steps_that_nobody_hears() -> None:
    line = Timeline(origin=10.0)
    arrived(line, AUDIO, (0.0, 10.0))
    arrived(line, VIDEO, (0.0, 10.1))
    placed = [line.place(VIDEO, 0, 10.1)]
    line.report(AUDIO, 5000.0, 0)
    line.report(VIDEO, 5000.0, 0)

    placed += [line.place(VIDEO, number * 3000, 10.1 + number / 30) for number in range(1, 90)]

    steps = [later - earlier for earlier, later in itertools.pairwise(placed)]
    assert placed[0] == 100
    assert placed[-1] == pytest.approx(89 / 30 * 1000, abs=1)
    assert 30 <= min(steps) <= max(steps) <= 35


def test_reports_of_unrelated_clocks_are_not_compared() -> None:
    line = Timeline(origin=10.0)
    arrived(line, AUDIO, (0.0, 10.0))
    arrived(line, VIDEO, (0.0, 10.2))

    line.report(AUDIO, 5000.0, 0)
    line.report(VIDEO, 9000.0, 0)

    assert line.place(VIDEO, 0, 10.2) == 200


def test_another_file_counts_from_its_own_beginning() -> None:
    line = Timeline(origin=0.0)
    line.place(AUDIO, 48_000, 1.0)

    line.begin_anew(1.5)

    assert line.place(AUDIO, 96_000, 2.0) == 500
