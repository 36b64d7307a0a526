import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest

from backend.video.aiortc_engine import AiortcEngine
from backend.video.engine import (
    EngineEvent,
    Joined,
    JoinRefused,
    Left,
    MediaBack,
    MediaLost,
    MediaStarted,
    Role,
    RoomPolicy,
    SdpAnswer,
    SegmentClosed,
    SegmentOpened,
    VideoCodec,
)
from backend.video.seating import Patience
from foundation.object_store import FolderStore
from tests.unit.video.conftest import decoded
from tests.unit.video.peers import Peer, until

pytestmark = pytest.mark.anyio
hasty = pytest.mark.parametrize("patience", [Patience(1.0, 2.5, 1.5)], ids=[""])
Enter = Callable[..., Awaitable[Peer]]
E = TypeVar("E", bound=EngineEvent)
ROOM = "01900000-0000-7000-8000-00000000aaaa"


@pytest.fixture
async def enter(engine: AiortcEngine) -> AsyncIterator[Enter]:
    """Lets a peer into the room; all of them hang up in the end."""
    peers: list[Peer] = []

    async def join(
        who: str,
        role: Role,
        codec: VideoCodec = VideoCodec.VP8,
        watches: Role | None = None,
        sends: bool = False,
    ) -> Peer:
        await engine.open_room(ROOM, RoomPolicy(codec=codec))
        peer = Peer(codec, listens_only=role is Role.SUPERVISOR and not sends)
        peers.append(peer)
        reply = await engine.join(ROOM, who, role, await peer.offer(), watches)
        assert isinstance(reply, SdpAnswer)
        await peer.accept(reply.sdp)
        return peer

    yield join
    for peer in peers:
        await peer.close()


def of(kind: type[E], events: list[EngineEvent]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_two_people_see_and_hear_each_other_and_both_are_recorded(
    engine: AiortcEngine, enter: Enter, store: FolderStore, events: list[EngineEvent], codec: VideoCodec
) -> None:
    patient, doctor = await enter("p", Role.PATIENT, codec), await enter("d", Role.DOCTOR, codec)
    await until(lambda: min(*patient.received.values(), *doctor.received.values()) > 55, 15, "media")

    manifest = await engine.close_room(ROOM, "bye")

    assert {(segment.role, segment.number, segment.close_reason) for segment in manifest} == {
        (Role.PATIENT, 1, "bye"), (Role.DOCTOR, 1, "bye"),
    }  # fmt: skip
    for segment in manifest:
        played, info = await decoded(store, segment.object_key), await store.info(segment.object_key)
        assert played.frames == {"video": segment.video_frames, "audio": segment.audio_frames}
        assert segment.video_frames > 50, "the first keyframe was lost"
        assert abs(played.ends["audio"] - played.ends["video"]) < 0.15
        assert (info.sha256, info.complete) == (segment.sha256, True)
    assert [event.segment.id for event in of(SegmentOpened, events)] != []
    assert {event.segment for event in of(SegmentClosed, events)} == set(manifest)
    assert len(of(MediaStarted, events)) == 2


async def test_a_supervisor_sees_both_and_is_neither_seen_nor_recorded(
    engine: AiortcEngine, enter: Enter
) -> None:
    patient, doctor = await enter("p", Role.PATIENT), await enter("d", Role.DOCTOR)
    views = [await enter(f"s:{role}", Role.SUPERVISOR, watches=role) for role in (Role.PATIENT, Role.DOCTOR)]

    await until(
        lambda: all(min(view.received.values()) > 30 for view in views), 15, "two pictures and voices"
    )
    before = dict(patient.received)
    await until(lambda: patient.received["video"] > before["video"] + 20, 5, "the call goes on")

    manifest = await engine.close_room(ROOM)
    assert {segment.role for segment in manifest} == {Role.PATIENT, Role.DOCTOR}
    assert doctor.received["video"] > 0


async def test_a_supervisor_who_sends_is_heard_by_nobody(engine: AiortcEngine, enter: Enter) -> None:
    patient = await enter("p", Role.PATIENT)
    intruder = await enter("s", Role.SUPERVISOR, watches=Role.PATIENT, sends=True)
    await until(lambda: intruder.received["video"] > 10, 15, "her view")
    doctor = await enter("d", Role.DOCTOR)
    await until(lambda: doctor.received["video"] > 10, 15, "the patient's picture")

    assert patient.received["video"] > 0  # the doctor's, who came after
    room = engine.stats(ROOM)
    assert room is not None
    assert {one.role: one.packets_in > 0 for one in room.participants}[Role.SUPERVISOR] is False
    assert all(segment.role is not Role.SUPERVISOR for segment in await engine.close_room(ROOM))


async def test_whoever_comes_back_replaces_himself_and_gets_a_new_segment(
    engine: AiortcEngine, enter: Enter, store: FolderStore, events: list[EngineEvent]
) -> None:
    doctor, first = await enter("d", Role.DOCTOR), await enter("p", Role.PATIENT)
    await until(lambda: doctor.received["video"] > 10 and first.received["video"] > 10, 15, "media")

    second = await enter("p", Role.PATIENT)
    before = doctor.received["video"]
    await until(
        lambda: second.received["video"] > 10 and doctor.received["video"] > before + 10, 15, "media again"
    )

    manifest = await engine.close_room(ROOM)
    patients = [segment for segment in manifest if segment.role is Role.PATIENT]
    assert [(segment.number, segment.close_reason) for segment in patients] == [
        (1, "replaced"),
        (2, "closed"),
    ]
    for segment in patients:
        assert (await decoded(store, segment.object_key)).frames["video"] == segment.video_frames > 0
    left = next(event for event in of(Left, events) if event.participant_id == "p")
    assert (left.connection, left.reason) == (1, "replaced")
    assert [event.connection for event in of(Joined, events) if event.participant_id == "p"] == [1, 2]


async def test_segment_numbers_go_on_after_those_of_another_node(engine: AiortcEngine, enter: Enter) -> None:
    await engine.open_room(ROOM, RoomPolicy(segments_before={"p": 4}))
    peer = await enter("p", Role.PATIENT)
    stats = engine.stats
    await until(
        lambda: (room := stats(ROOM)) is not None and room.participants[0].packets_in > 50, 15, "packets"
    )

    assert [segment.number for segment in await engine.close_room(ROOM)] == [5]
    await peer.close()


@hasty
async def test_silence_is_noticed_and_so_is_its_end(
    engine: AiortcEngine, enter: Enter, events: list[EngineEvent]
) -> None:
    peer = await enter("p", Role.PATIENT)
    await until(lambda: bool(of(MediaStarted, events)), 15, "media")

    for track in peer.tracks.values():
        track.silent = True
    await until(lambda: bool(of(MediaLost, events)), 6, "a warning")
    for track in peer.tracks.values():
        track.silent = False
    await until(lambda: bool(of(MediaBack, events)), 6, "an all-clear")

    assert 1 <= of(MediaLost, events)[0].seconds < 2
    assert not of(Left, events)


async def test_hanging_up_in_the_browser_ends_the_connection_and_the_recording(
    enter: Enter, events: list[EngineEvent], store: FolderStore
) -> None:
    peer = await enter("p", Role.PATIENT)
    await until(lambda: bool(of(SegmentOpened, events)), 15, "a recording")

    await peer.close()
    await until(lambda: bool(of(Left, events)), 5, "the end")

    assert of(Left, events)[0].reason == "disconnected"
    assert (await store.info(of(SegmentClosed, events)[0].segment.object_key)).complete


async def test_closing_twice_and_leaving_after_the_end_change_nothing(
    engine: AiortcEngine, enter: Enter, events: list[EngineEvent]
) -> None:
    await enter("p", Role.PATIENT)
    await until(lambda: bool(of(SegmentOpened, events)), 15, "a recording")

    await asyncio.gather(engine.leave(ROOM, "p"), engine.leave(ROOM, "p", "kicked"))
    manifest = await engine.close_room(ROOM)
    await engine.leave(ROOM, "p")

    assert await engine.close_room(ROOM) == []
    assert [segment.close_reason for segment in manifest] == ["bye"]
    assert len(of(Left, events)) == len(of(SegmentClosed, events)) == 1


async def test_the_end_of_the_engine_waits_for_those_who_are_already_leaving(
    engine: AiortcEngine, enter: Enter, store: FolderStore, events: list[EngineEvent]
) -> None:
    await enter("p", Role.PATIENT)
    await until(lambda: bool(of(SegmentOpened, events)), 15, "a recording")

    leaving = asyncio.create_task(engine.leave(ROOM, "p"))
    await asyncio.sleep(0)
    await engine.close()

    (closed,) = of(SegmentClosed, events)
    assert (await store.info(closed.segment.object_key)).complete
    await leaving


async def test_nobody_joins_a_room_that_is_not_open(engine: AiortcEngine) -> None:
    with pytest.raises(JoinRefused) as refused:
        await engine.join(ROOM, "p", Role.PATIENT, "v=0")
    assert refused.value.code == "no_room"


async def test_a_second_doctor_is_refused_and_a_third_supervisor_too(
    engine: AiortcEngine, enter: Enter
) -> None:
    await enter("d", Role.DOCTOR)
    for who in ("s1", "s2"):
        await enter(who, Role.SUPERVISOR, watches=Role.DOCTOR)
    await enter("s3:patient", Role.SUPERVISOR, watches=Role.PATIENT)

    for who, role, code in (
        ("d2", Role.DOCTOR, "role_taken"),
        ("s3", Role.SUPERVISOR, "room_full"),
        ("d", Role.PATIENT, "role_taken"),
    ):
        with pytest.raises(JoinRefused) as refused:
            await engine.join(ROOM, who, role, "v=0", Role.DOCTOR if role is Role.SUPERVISOR else None)
        assert refused.value.code == code


async def test_a_browser_without_the_rooms_codec_is_refused_and_the_room_goes_on(
    engine: AiortcEngine, enter: Enter
) -> None:
    await enter("d", Role.DOCTOR, VideoCodec.H264)
    stranger = Peer(VideoCodec.VP8)

    with pytest.raises(JoinRefused) as refused:
        await engine.join(ROOM, "p", Role.PATIENT, await stranger.offer())
    assert refused.value.code == "codec_not_offered"
    await stranger.close()
    room = engine.stats(ROOM)
    assert room is not None
    assert [one.role for one in room.participants] == [Role.DOCTOR]


@hasty
async def test_who_never_connects_is_let_go(engine: AiortcEngine, events: list[EngineEvent]) -> None:
    await engine.open_room(ROOM, RoomPolicy())
    peer = Peer()

    await engine.join(ROOM, "p", Role.PATIENT, await peer.offer())  # and the answer never arrives
    await until(lambda: bool(of(Left, events)), 5, "the end")

    assert of(Left, events)[0].reason == "not_connected"
    await peer.close()


@hasty
async def test_who_sends_nothing_at_all_any_more_is_let_go(
    enter: Enter, events: list[EngineEvent], store: FolderStore
) -> None:
    peer = await enter("p", Role.PATIENT)
    await until(lambda: bool(of(SegmentOpened, events)), 15, "a recording")

    peer.unplug()
    await until(lambda: bool(of(Left, events)), 8, "the end")

    assert of(Left, events)[0].reason == "absent"
    assert (await store.info(of(SegmentClosed, events)[0].segment.object_key)).complete


async def test_a_room_that_closes_while_somebody_connects_raises_nothing_anywhere(
    engine: AiortcEngine, enter: Enter
) -> None:
    for delay in (0.0, 0.0, 0.01, 0.02, 0.05, 0.1):
        await enter("p", Role.PATIENT)
        await asyncio.sleep(delay)
        assert all(segment.close_reason for segment in await engine.close_room(ROOM))


async def test_no_thread_and_no_socket_stays_behind(engine: AiortcEngine, enter: Enter) -> None:
    import psutil

    process = psutil.Process()
    await enter("warm-up", Role.PATIENT)
    await engine.close_room(ROOM)
    before = process.num_fds()

    peers = [await enter(f"p{number}", Role.SUPERVISOR) for number in range(2)]
    await engine.close_room(ROOM)
    for peer in peers:
        await peer.close()
    await until(lambda: process.num_fds() <= before, 5, f"file descriptors back to {before}")
