import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.video.engine import VideoCodec
from backend.video.recording import assembler as assembler_module
from backend.video.recording.assembler import GAP_VIDEO, AudioAssembler, Frame, Packet, VideoAssembler
from backend.video.recording.payloads import payload_format
from tests.unit.video import clips
from tests.unit.video.rtp import audio_packets, video_packets

VP8 = VideoCodec.VP8
LATER = 1e6


def clip(codec: VideoCodec = VP8, count: int = 60) -> list[clips.Encoded]:
    """Frames of several packets each."""
    return [
        frame._replace(data=frame.data + bytes(3000)) if codec is VP8 else frame
        for frame in clips.video(codec)[:count]
    ]


def assembled(packets: list[Packet], codec: VideoCodec = VP8, *, now: float | None = None) -> list[Frame]:
    assembler = VideoAssembler(payload_format(codec))
    frames: list[Frame] = []
    for packet in packets:
        assembler.push(packet)
        frames += assembler.pop(packet.arrival)
    return frames + assembler.pop(LATER if now is None else now)


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_every_frame_comes_out_whole_and_in_order(codec: VideoCodec) -> None:
    frames = clip(codec)

    out = assembled(video_packets(codec, frames), codec)
    assert [frame.timestamp for frame in out] == [frame.pts for frame in frames]
    assert [frame.key for frame in out] == [frame.key for frame in frames]
    if codec is VP8:
        assert [frame.data for frame in out] == [frame.data for frame in frames]


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_disorder_within_the_patience_changes_nothing(chance: random.Random) -> None:
    packets = video_packets(VP8, clip(count=12))
    shuffled = [packets[0]]
    for start in range(1, len(packets), 5):
        shuffled += chance.sample(packets[start : start + 5], len(packets[start : start + 5]))

    assert assembled(shuffled) == assembled(packets)


def test_repeated_packets_change_nothing() -> None:
    packets = video_packets(VP8, clip(count=10))

    assert assembled([packet for packet in packets for _ in range(2)]) == assembled(packets)


def test_a_repaired_packet_within_half_a_second_loses_no_frame() -> None:
    packets = video_packets(VP8, clip(count=30))
    late = packets.pop(20)

    assembler = VideoAssembler(payload_format(VP8))
    for packet in packets[: len(packets) // 3]:
        assembler.push(packet)
    assembler.push(late)
    for packet in packets[len(packets) // 3 :]:
        assembler.push(packet)
    assert len(assembler.pop(packets[-1].arrival)) == 30


def test_a_hole_is_skipped_after_half_a_second_and_then_only_a_keyframe_goes_on() -> None:
    frames = clip()  # keyframes at 0 and 30
    packets = video_packets(VP8, frames)
    lost = [packet for packet in packets if packet.timestamp == frames[5].pts][1]
    packets.remove(lost)
    assembler = VideoAssembler(payload_format(VP8))
    for packet in packets:
        assembler.push(packet)

    before = assembler.pop(lost.arrival + GAP_VIDEO * 0.9)
    assert [frame.timestamp for frame in before] == [frame.pts for frame in frames[:5]]
    after = assembler.pop(lost.arrival + GAP_VIDEO + 0.1)
    assert after[0].key
    assert [frame.timestamp for frame in after] == [frame.pts for frame in frames[30:]]


def test_it_says_when_it_needs_a_keyframe() -> None:
    packets = video_packets(VP8, clip())
    assembler = VideoAssembler(payload_format(VP8))
    needed = [assembler.needs_keyframe]

    for part, now in ((packets[:12], 0.4), (packets[13:20], LATER)):
        for packet in part:
            assembler.push(packet)
        assembler.pop(now)
        needed.append(assembler.needs_keyframe)

    assert needed == [True, False, True]


@pytest.mark.parametrize("codec", list(VideoCodec))
@pytest.mark.parametrize("missing", [0, 1, -1])
def test_a_keyframe_without_one_of_its_packets_is_never_emitted(codec: VideoCodec, missing: int) -> None:
    frames = clip(codec)
    packets = video_packets(codec, frames)
    first_key = [packet for packet in packets if packet.timestamp == frames[0].pts]
    packets.remove(first_key[missing])

    out = assembled(packets, codec)
    assert [frame.timestamp for frame in out] == [frame.pts for frame in frames[30:]]


def test_joining_in_the_middle_waits_for_a_keyframe() -> None:
    frames = clip()
    packets = [packet for packet in video_packets(VP8, frames) if packet.timestamp > frames[7].pts]

    assert [frame.timestamp for frame in assembled(packets[1:])] == [frame.pts for frame in frames[30:]]


def test_padding_packets_fill_numbers_and_nothing_else() -> None:
    frames = clip(count=10)
    packets = video_packets(VP8, frames[:5])
    padding = [
        Packet(packets[-1].sequence + 1 + n, frames[4].pts, 0, b"", packets[-1].arrival) for n in range(3)
    ]
    rest = video_packets(VP8, frames[5:], first=padding[-1].sequence + 1)

    assert len(assembled(packets + padding + rest)) == 10


def test_a_frame_without_its_marker_ends_with_the_next_timestamp() -> None:
    packets = [packet._replace(marker=0) for packet in video_packets(VP8, clip(count=10))]

    assert len(assembled(packets)) == 9


def test_a_sender_that_begins_anew_is_followed_from_its_keyframe() -> None:
    frames = clip()
    before = video_packets(VP8, frames[:20], first=100)
    after = video_packets(VP8, frames[20:], first=50_000)

    out = assembled(before + after)
    assert [frame.timestamp for frame in out] == [frame.pts for frame in frames[:20] + frames[30:]]


def test_rubbish_does_not_raise() -> None:
    packets = video_packets(VP8, clip())
    chance = random.Random(7)
    for place in range(3, len(packets), 11):
        packets[place] = packets[place]._replace(payload=chance.randbytes(chance.randrange(1, 4)))

    assembled(packets)
    assembled(packets, VideoCodec.H264)


def test_audio_goes_on_over_a_hole() -> None:
    packets = audio_packets(list(clips.audio()))
    assembler = AudioAssembler()
    for packet in packets[:10] + packets[13:40]:
        assembler.push(packet)

    assert len(assembler.pop(packets[12].arrival)) == 10
    assert len(assembler.pop(packets[12].arrival + 0.5)) == 27


@pytest.mark.parametrize("too_long_on", ["the last packet", "an earlier packet"])
def test_after_a_frame_that_is_too_long_only_a_keyframe_goes_on(
    monkeypatch: pytest.MonkeyPatch, too_long_on: str
) -> None:
    frames = clip()  # keyframes at 0 and 30
    packets = video_packets(VP8, frames)
    fifth = [packet for packet in packets if packet.timestamp == frames[5].pts]
    length = sum(len(payload_format(VP8).part(packet.payload).data) for packet in fifth)
    last = len(payload_format(VP8).part(fifth[-1].payload).data)
    limit = length - (1 if too_long_on == "the last packet" else last + 1)
    assembler, out = VideoAssembler(payload_format(VP8)), []

    for packet in packets:
        monkeypatch.setattr(assembler_module, "MAX_FRAME", limit if packet in fifth else 4_000_000)
        assembler.push(packet)
        out += assembler.pop(packet.arrival)

    assert [frame.timestamp for frame in out] == [frame.pts for frame in [*frames[:5], *frames[30:]]]
    assert assembler.broken
