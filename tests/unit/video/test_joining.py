"""Films from recordings: one time line for both parties, true to the manifest, good for a player that jumps."""

import dataclasses
import io
import itertools
import struct
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.video.engine import VideoCodec
from backend.video.recording.ebml import size_of
from backend.video.recording.film import Block, Plan, Track, written
from backend.video.recording.joining import Film, NothingToJoin, Piece, join
from foundation.object_store import FolderStore
from tests.unit.video.conftest import Decoded, content_of, decoded
from tests.unit.video.test_segments import MORNING, Desk, audio, together, video

NAMES = {"patient": "患者", "doctor": "医生"}
VP8, H264 = VideoCodec.VP8, VideoCodec.H264


def a_piece(
    store: FolderStore,
    party: str,
    at: float,
    codec: VideoCodec = VP8,
    *,
    skip: float = 0.0,
    folder: str = "r",
) -> Piece:
    """Two seconds of `party`, begun `at` seconds after the morning; `skip` leaves that second of sound out."""
    desk = Desk(store, codec)
    key = f"{folder}/{party}-{int(at * 1000)}.mkv"
    make = desk.segments._new_segment
    desk.segments._new_segment = lambda begun: dataclasses.replace(make(begun), object_key=key)
    heard = [one for one in audio() if not skip or not skip <= one[1].arrival < skip + 1]
    desk.play(together(video(codec), heard), 2.5)
    desk.end(2.5)
    (segment,) = desk.told.closed
    return Piece(party, key, MORNING + timedelta(seconds=at), segment.sha256)


async def played(store: FolderStore, film: Film) -> dict[str, list[tuple[int, int]]]:
    """Per track, by its title and kind: (milliseconds, bytes) of every packet."""
    found: dict[str, list[tuple[int, int]]] = {}
    container: Any = av.open(io.BytesIO(await content_of(store, film.info.key)))
    with container:
        for packet in container.demux():
            if packet.pts is not None:
                name = f"{packet.stream.metadata['title']} {packet.stream.type}"
                at = round(packet.pts * packet.time_base * 1000)
                found.setdefault(name, []).append((at, packet.size))
    return found


def sound(track: list[tuple[int, int]]) -> list[int]:
    """Where there is more than silence."""
    return [at for at, size in track if size > 3]


@pytest.mark.anyio
@pytest.mark.parametrize("codec", [VP8, H264])
async def test_both_parties_lie_on_one_time_line(store: FolderStore, codec: VideoCodec) -> None:
    pieces = [a_piece(store, "patient", 0, codec), a_piece(store, "doctor", 1.5, codec)]

    film = join(store, pieces, NAMES, "films/both.mkv")

    tracks = await played(store, film)
    assert sorted(tracks) == ["医生 audio", "医生 video", "患者 audio", "患者 video"]
    assert tracks["患者 video"][0][0] == 0
    assert tracks["医生 video"][0][0] == 1500
    assert (sound(tracks["患者 audio"])[0], sound(tracks["医生 audio"])[0]) == (0, 1500)
    assert film.duration_ms == pytest.approx(3500, abs=60)
    info = await store.info(film.info.key)
    assert (info, info.complete, film.left_out) == (film.info, True, ())


@pytest.mark.anyio
@pytest.mark.parametrize("codec", [VP8, H264])
async def test_every_frame_of_a_film_decodes(store: FolderStore, codec: VideoCodec) -> None:
    pieces = [a_piece(store, "patient", 0, codec), a_piece(store, "patient", 2.0, codec)]

    film = join(store, pieces, {"patient": "患者"}, "films/patient.mkv")

    seen: Decoded = await decoded(store, film.info.key)
    assert seen.frames == {"video": 120, "audio": 200}
    assert seen.ends["video"] == pytest.approx(2.0 + 59 / 30, abs=0.01)


@pytest.mark.anyio
async def test_where_a_connection_was_replaced_the_newer_one_wins(store: FolderStore) -> None:
    pieces = [a_piece(store, "patient", 1.0), a_piece(store, "patient", 0.0)]

    film = join(store, pieces, NAMES, "films/both.mkv")

    for track in (await played(store, film)).values():
        times = [at for at, _ in track]
        assert times == sorted(set(times))
        assert times[-1] == pytest.approx(3000, abs=60)


@pytest.mark.anyio
async def test_holes_in_a_voice_are_filled_with_silence(store: FolderStore) -> None:
    pieces = [
        a_piece(store, "doctor", 0),
        a_piece(store, "patient", 3.0, skip=0.5),
        a_piece(store, "patient", 10.0),
    ]

    film = join(store, pieces, {"patient": "患者", "doctor": "医生"}, "films/both.mkv")

    voice = (await played(store, film))["患者 audio"]
    steps = {later - earlier for (earlier, _), (later, _) in itertools.pairwise(voice)}
    assert voice[0][0] <= 0
    assert max(steps) < 60
    assert [at for at in sound(voice) if at < 3000 or 3550 < at < 4450 or 5050 < at < 10_000] == []


@pytest.mark.anyio
async def test_a_player_may_jump_because_length_and_cues_come_first(store: FolderStore) -> None:
    film = join(store, [a_piece(store, "patient", 0)], {"patient": "患者"}, "films/patient.webm")
    content = await content_of(store, film.info.key)

    container: Any = av.open(io.BytesIO(content))
    with container:
        assert container.duration / 1e6 == pytest.approx(2.0, abs=0.05)
        container.seek(1_200_000)
        first = next(packet for packet in container.demux(video=0) if packet.pts is not None)
    assert b"webm" in content[:60]
    assert content.index(b"\x1c\x53\xbb\x6b") < content.index(b"\x1f\x43\xb6\x75")
    assert (first.is_keyframe, first.pts) == (True, 1000)


@pytest.mark.anyio
async def test_what_is_gone_or_was_changed_is_left_out_and_named(store: FolderStore, tmp_path: Path) -> None:
    true, changed, gone = (
        a_piece(store, "patient", 0), a_piece(store, "doctor", 0), a_piece(store, "doctor", 3),
    )  # fmt: skip
    changed = dataclasses.replace(changed, sha256="0" * 64)
    await store.delete(gone.object_key)

    film = join(store, [true, changed, gone], NAMES, "films/both.mkv")

    assert film.left_out == (changed.object_key, gone.object_key)
    assert sorted(await played(store, film)) == ["患者 audio", "患者 video"]


def test_without_any_recording_there_is_no_film_and_no_file(store: FolderStore, tmp_path: Path) -> None:
    piece = dataclasses.replace(a_piece(store, "patient", 0), sha256="0" * 64)

    for pieces in ([], [piece]):
        with pytest.raises(NothingToJoin):
            join(store, pieces, NAMES, "films/none.mkv")
    assert not (tmp_path / "objects/films").exists()


@pytest.mark.anyio
async def test_a_recording_that_was_cut_off_is_in_the_film_up_to_the_cut(store: FolderStore) -> None:
    desk = Desk(store)
    desk.play(together(video(), audio()), 2.0)
    info = await store.salvage("r/1.mkv")
    piece = Piece("patient", "r/1.mkv", MORNING, info.sha256)

    film = join(store, [piece], NAMES, "films/cut.mkv")

    assert film.duration_ms > 1200
    assert (await decoded(store, film.info.key)).frames["video"] > 35
    desk.end(3)


@pytest.mark.anyio
async def test_a_party_without_a_camera_is_heard(store: FolderStore) -> None:
    desk = Desk(store)
    desk.play(audio(), 2.25)
    desk.end(2.25)
    (segment,) = desk.told.closed
    piece = Piece("doctor", segment.object_key, MORNING, segment.sha256)

    film = join(store, [piece], NAMES, "films/voice.mkv")

    assert sorted(await played(store, film)) == ["医生 audio"]


@given(st.integers(0, 2**56 - 3))
def test_a_size_reads_as_it_was_written(value: int) -> None:
    raw = size_of(value)

    width = 9 - raw[0].bit_length()
    assert len(raw) == width
    assert int.from_bytes(raw, "big") & ((1 << 7 * width) - 1) == value


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 7000), st.booleans(), st.binary(max_size=300)),
        min_size=1,
        max_size=60,
    )
)
def test_any_plan_is_written_as_planned(steps: list[tuple[int, int, bool, bytes]]) -> None:
    """The size in the header is the size of the file, and every cue points at a cluster."""
    tracks = (Track(True, "V_VP8", "a", width=2, height=2), Track(False, "A_OPUS", "b"))
    at, blocks = 0, []
    for track, step, key, data in steps:
        at += step
        blocks.append(Block(track, at, key, data))
    plan = Plan(tracks)
    for block in blocks:
        plan.add(block)

    content = b"".join(written(plan, blocks, webm=True))

    segment = content.index(b"\x18\x53\x80\x67") + 12
    (length,) = struct.unpack(">Q", b"\0" + content[segment - 7 : segment])
    assert segment + length == len(content)
    place = content.index(b"\x1c\x53\xbb\x6b")
    for cluster in plan.clusters:
        mark = content.index(b"\xf1\x88", place)
        where = int.from_bytes(content[mark + 2 : mark + 10], "big")
        assert content[segment + where : segment + where + 4] == b"\x1f\x43\xb6\x75"
        assert 0 <= cluster.at <= at
        place = mark + 10


def test_other_blocks_than_planned_are_refused() -> None:
    plan = Plan((Track(False, "A_OPUS", "a"),))
    blocks = [Block(0, at, True, b"abc") for at in (0, 20, 40)]
    for block in blocks:
        plan.add(block)

    for others in (blocks[:2], [*blocks, blocks[0]], [*blocks[:2], Block(0, 40, True, b"abcd")]):
        with pytest.raises(ValueError, match="planned"):
            list(written(plan, others, webm=True))
