import io
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest

from backend.video.engine import Role, Segment, VideoCodec
from backend.video.recording.assembler import Packet
from backend.video.recording.segments import WAIT_FOR_VIDEO, Outcome, Segments
from backend.video.recording.timeline import Source
from foundation.object_store import AlreadyThere, Appender, FolderStore, ObjectInfo
from tests.unit.video import clips
from tests.unit.video.conftest import KEYRING, Decoded, decoded
from tests.unit.video.rtp import audio_packets, video_packets

VP8, H264 = VideoCodec.VP8, VideoCodec.H264
TakenPacket = tuple[Source, Packet]
MORNING = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
VIDEO_SSRC, AUDIO_SSRC = 11, 22


class Desk:
    """A `Segments` with numbered keys and a wall clock; collects what it tells."""

    def __init__(self, store: FolderStore, codec: VideoCodec = VP8) -> None:
        numbers = itertools.count(1)

        def new_segment(started_at: datetime) -> Segment:
            number = next(numbers)
            return Segment(str(number), "room", "person", Role.PATIENT, number, f"r/{number}.mkv", started_at)

        self.segments = Segments(store, codec, new_segment, lambda at: MORNING + timedelta(seconds=at))
        self.told = Outcome()

    def write(self, batch: list[TakenPacket], now: float) -> Outcome:
        return self._note(self.segments.write(batch, now))

    def end(self, now: float, reason: str = "bye", batch: list[TakenPacket] | None = None) -> Outcome:
        return self._note(self.segments.end(batch or [], now, reason))

    def play(self, batch: list[TakenPacket], until: float) -> None:
        """Batches of a quarter of a second."""
        now = 0.0
        while now < until:
            now += 0.25
            self.write([taken for taken in batch if now - 0.25 <= taken[1].arrival < now], now)

    def _note(self, outcome: Outcome) -> Outcome:
        self.told.opened += outcome.opened
        self.told.closed += outcome.closed
        self.told.problem += outcome.problem
        return outcome


def video(
    codec: VideoCodec = VP8, count: int = 60, start: float = 0.0, ssrc: int = VIDEO_SSRC
) -> list[TakenPacket]:
    packets = video_packets(codec, list(clips.video(codec)[:count]), start=start)
    return [(Source("video", ssrc, 90000), packet) for packet in packets]


def audio(count: int = 100, start: float = 0.0) -> list[TakenPacket]:
    return [
        (Source("audio", AUDIO_SSRC, 48000), packet)
        for packet in audio_packets(list(clips.audio()[:count]), start=start)
    ]


def together(*streams: list[TakenPacket]) -> list[TakenPacket]:
    return sorted((taken for stream in streams for taken in stream), key=lambda taken: taken[1].arrival)


@pytest.mark.anyio
@pytest.mark.parametrize("codec", [VP8, H264])
async def test_what_was_sent_is_played_back_frame_by_frame(store: FolderStore, codec: VideoCodec) -> None:
    desk = Desk(store, codec)

    desk.play(together(video(codec), audio()), 2.5)
    desk.end(2.5)

    (segment,) = desk.told.closed
    played = await decoded(store, segment.object_key)
    assert (
        played.frames
        == {"video": 60, "audio": 100}
        == {"video": segment.video_frames, "audio": segment.audio_frames}
    )
    assert abs(played.ends["video"] - played.ends["audio"]) < 0.1
    assert played.sizes == {(clips.WIDTH, clips.HEIGHT)}
    assert played.ends["audio"] == pytest.approx(segment.last_pts_ms / 1000, abs=0.002)


@pytest.mark.anyio
async def test_the_manifest_line_is_true(store: FolderStore) -> None:
    desk = Desk(store)
    desk.play(together(video(start=1.0), audio(start=1.0)), 4)
    desk.end(4, "replaced")

    (segment,) = desk.told.closed
    info = await store.info(segment.object_key)
    assert (segment.bytes, segment.sha256, info.complete) == (info.size, info.sha256, True)
    assert segment.started_at == MORNING + timedelta(seconds=1)
    assert (segment.number, segment.close_reason, segment.first_pts_ms) == (1, "replaced", 0)


def test_late_packets_do_not_reopen_a_closed_recording(store: FolderStore, tmp_path: Path) -> None:
    desk = Desk(store)
    desk.play(video(), 2.5)
    desk.end(2.5)
    size = (tmp_path / "objects/r/1.mkv").stat().st_size

    late = desk.write(video(start=3.0), 6)
    again = desk.end(6.5, batch=video(start=6.0))

    assert late == again == Outcome()
    assert [path.name for path in (tmp_path / "objects/r").iterdir()] == ["1.mkv"]
    assert (tmp_path / "objects/r/1.mkv").stat().st_size == size > 10_000


@pytest.mark.anyio
async def test_a_recording_begins_with_its_first_keyframe_and_keeps_the_sound_before_it(
    store: FolderStore,
) -> None:
    desk = Desk(store)
    without_start = [taken for taken in video() if taken[1].timestamp > 3000]

    desk.play(together(without_start, audio()), 2.5)
    desk.end(2.5)

    played = await decoded(store, desk.told.closed[0].object_key)
    assert played.frames == {"video": 30, "audio": 100}


def test_the_end_does_not_wait_for_what_is_missing(store: FolderStore) -> None:
    desk = Desk(store)
    packets = together(video(), audio())
    lost = [taken for taken in packets if not 1.85 < taken[1].arrival < 1.92]

    desk.play(lost, 2.0)
    desk.end(2.0)

    assert desk.told.closed[0].audio_frames == 97


def test_a_keyframe_is_asked_for_until_it_comes(store: FolderStore) -> None:
    desk = Desk(store)
    packets = video()

    assert desk.write([taken for taken in packets if 0 < taken[1].timestamp < 60_000], 0.7).wants_keyframe
    assert not desk.write([taken for taken in packets if taken[1].timestamp >= 90_000], 2.0).wants_keyframe
    desk.end(3)


def test_now_and_then_a_keyframe_is_asked_for_so_that_a_player_can_jump(store: FolderStore) -> None:
    desk = Desk(store)
    desk.play(video(), 2.5)

    assert not desk.write([], 15.0).wants_keyframe
    assert desk.write([], 25.0).wants_keyframe
    desk.end(26)


@pytest.mark.anyio
async def test_without_a_camera_the_sound_is_kept(store: FolderStore) -> None:
    desk = Desk(store)
    desk.play(audio(), 2.25)
    desk.end(2.25)

    (segment,) = desk.told.closed
    played = await decoded(store, segment.object_key)
    assert (played.kinds, played.frames["audio"]) == (["audio"], 100)


@pytest.mark.anyio
async def test_a_camera_that_comes_later_begins_a_segment_of_its_own(store: FolderStore) -> None:
    desk = Desk(store)
    sound = [
        *audio(),
        *[
            (t[0], t[1]._replace(sequence=t[1].sequence + 100, timestamp=t[1].timestamp + 96_000))
            for t in audio(start=2.0)
        ],
    ]
    picture = video(start=WAIT_FOR_VIDEO + 0.5)
    desk.play(together(sound, picture), 6)
    desk.end(6)

    first, second = desk.told.closed
    assert (first.close_reason, second.close_reason) == ("video_started", "bye")
    assert (first.video_frames, second.video_frames) == (0, 60)
    assert first.audio_frames + second.audio_frames == 200
    assert second.started_at > first.started_at
    assert (await decoded(store, second.object_key)).frames["video"] == 60


@pytest.mark.anyio
async def test_video_goes_on_in_the_recording_after_an_outage(store: FolderStore) -> None:
    """The hole that aiortc's own jitter buffer leaves open for ten seconds."""
    desk = Desk(store)
    packets = together(video(), audio())
    outage = [taken for taken in packets if not 0.3 < taken[1].arrival < 0.9]
    desk.play(outage, 2.5)
    desk.end(2.5)

    played = await decoded(store, desk.told.closed[0].object_key)
    assert abs(played.ends["video"] - played.ends["audio"]) < 0.1
    assert 35 < played.frames["video"] < 60


@pytest.mark.anyio
async def test_a_new_source_goes_on_in_the_same_file(store: FolderStore) -> None:
    desk = Desk(store)
    desk.play(together(video(count=30), video(start=1.5, ssrc=99)), 4)
    desk.end(4)

    (segment,) = desk.told.closed
    played = await decoded(store, segment.object_key)
    assert played.frames["video"] == 90
    assert played.ends["video"] == pytest.approx(1.5 + 59 / 30, abs=0.05)


@pytest.mark.anyio
async def test_an_interrupted_recording_plays_up_to_the_last_half_second(store: FolderStore) -> None:
    desk = Desk(store)
    desk.play(together(video(), audio()), 2.0)  # and then the process is killed

    salvaged = await store.salvage("r/1.mkv")
    assert not salvaged.complete
    played = await decoded(store, "r/1.mkv")
    assert played.ends["video"] > 1.2
    assert played.frames["video"] > 35
    desk.end(3)


def test_two_recordings_cannot_share_a_file(store: FolderStore) -> None:
    store.append("r/1.mkv").close()
    desk = Desk(store)
    desk.play(video(), 1.0)

    assert "AlreadyThere" in desk.told.problem
    with pytest.raises(AlreadyThere):
        store.append("r/1.mkv")


class FullDisk(FolderStore):
    """Takes `room` bytes and then none until it is cleared."""

    room = 20_000

    def append(self, key: str) -> Appender:  # type: ignore[override]
        return _Limited(super().append(key), self)


class _Limited:
    def __init__(self, inner: Appender, disk: FullDisk) -> None:
        self._inner, self._disk = inner, disk

    @property
    def size(self) -> int:
        return self._inner.size

    def write(self, data: bytes) -> int:
        self._disk.room -= len(data)
        if self._disk.room < 0:
            raise OSError(28, "No space left on device")
        return self._inner.write(data)

    def flush(self) -> None:
        self._inner.flush()

    def close(self) -> ObjectInfo:
        return self._inner.close()

    def abandon(self) -> ObjectInfo:
        return self._inner.abandon()

    def discard(self) -> None:
        self._inner.discard()


def test_a_full_disk_is_told_and_recording_begins_again_when_there_is_room(tmp_path: Path) -> None:
    disk = FullDisk(tmp_path / "objects", KEYRING)
    desk = Desk(disk)
    desk.play(video(), 2.5)
    assert "No space left" in desk.told.problem
    assert [segment.close_reason for segment in desk.told.closed] == ["write_failed"]

    disk.room = 10_000_000
    later = [
        (
            taken[0],
            taken[1]._replace(sequence=taken[1].sequence + 500, timestamp=taken[1].timestamp + 900_000),
        )
        for taken in video(start=10.0)
    ]
    desk.write(later, 12.5)
    desk.end(13)
    assert [segment.close_reason for segment in desk.told.closed] == ["write_failed", "bye"]
    assert desk.told.closed[-1].video_frames == 60


def test_an_end_before_anything_came_leaves_no_file(store: FolderStore, tmp_path: Path) -> None:
    desk = Desk(store)

    assert desk.end(1.0) == Outcome()
    assert not (tmp_path / "objects").exists()


@pytest.mark.anyio
async def test_h264_codec_data_in_the_file_is_the_senders_own(store: FolderStore) -> None:
    desk = Desk(store, H264)
    desk.play(video(H264), 2.5)
    desk.end(2.5)

    raw = b"".join([piece async for piece in store.read("r/1.mkv")])
    first = clips.video(H264)[0].data
    with av.open(io.BytesIO(raw)) as container:
        header = bytes(container.streams.video[0].codec_context.extradata or b"")
    sps = first.split(b"\0\0\0\1")[1].split(b"\0\0\1")[0]
    assert sps in header


__all__ = ["Decoded", "Packet"]
