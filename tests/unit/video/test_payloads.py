import pytest

from backend.video.engine import VideoCodec
from backend.video.recording.payloads import H264, Vp8, has_parameter_sets, payload_format, vp8_size
from tests.unit.video import clips
from tests.unit.video.rtp import packetised


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_frames_are_put_together_as_they_were_cut(codec: VideoCodec) -> None:
    form = payload_format(codec)

    for frame in clips.video(codec)[:40]:
        parts = [form.part(payload) for payload in packetised(codec, frame)]
        assert b"".join(part.data for part in parts) == _annex_b(codec, frame.data)
        assert [part.starts for part in parts].index(True) == 0
        assert any(part.key for part in parts) == frame.key


def _annex_b(codec: VideoCodec, data: bytes) -> bytes:
    return (
        data
        if codec is VideoCodec.VP8
        else data.replace(b"\0\0\0\1", b"\0\0\1").replace(b"\0\0\1", b"\0\0\0\1")
    )


def test_only_the_first_packet_of_a_vp8_frame_starts_it() -> None:
    big = clips.video(VideoCodec.VP8)[0]
    payloads = packetised(VideoCodec.VP8, big._replace(data=big.data * 20))

    assert len(payloads) > 2
    assert [Vp8().part(payload).starts for payload in payloads] == [True] + [False] * (len(payloads) - 1)


def test_the_second_slice_of_a_picture_does_not_start_it() -> None:
    idr = clips.video(VideoCodec.H264)[0]
    starts = [H264().part(payload).starts for payload in packetised(VideoCodec.H264, idr)]

    assert starts[0]
    assert starts[-1] is False  # the clip has two slices per picture


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\x90\x80", b"\x10", b"\x90\xf0\x80\x01\x02"])
def test_a_truncated_vp8_payload_is_refused(payload: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        Vp8().part(payload)


@pytest.mark.parametrize(
    "payload", [b"", b"\x7c", b"\x18", b"\x18\x00\x05\x67", b"\x18\x00\x00", b"\x1d\x01", b"\x00\x01"]
)
def test_a_strange_h264_payload_is_refused(payload: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        H264().part(payload)


def test_a_vp8_keyframe_says_its_size() -> None:
    assert vp8_size(clips.video()[0].data) == (clips.WIDTH, clips.HEIGHT)
    with pytest.raises(ValueError, match="not a VP8 keyframe"):
        vp8_size(clips.video()[1].data)


def test_parameter_sets_are_seen() -> None:
    first, second, *_ = clips.video(VideoCodec.H264)

    assert has_parameter_sets(_annex_b(VideoCodec.H264, first.data))
    assert not has_parameter_sets(_annex_b(VideoCodec.H264, second.data))
