"""The second engine behind the same port: Janus, with peers that answer what it offers."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcconfiguration import RTCBundlePolicy

from backend.video.engine import (
    AwaitOffer,
    EngineEvent,
    EngineLost,
    Joined,
    JoinRefused,
    Left,
    MediaBack,
    MediaLost,
    Offered,
    Role,
    RoomPolicy,
    SdpAnswer,
    SegmentClosed,
    SegmentOpened,
    VideoCodec,
)
from backend.video.janus_engine.engine import JanusEngine
from backend.video.janus_engine.process import INSTALL, JanusOptions, program
from backend.video.seating import Patience
from foundation.clock import Clock
from foundation.object_store import FolderStore
from tests.unit.video.conftest import decoded
from tests.unit.video.peers import Peer, until

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not program(), reason=f"no Janus here: {INSTALL}")]
Enter = Callable[..., Awaitable["Guest"]]
E = TypeVar("E", bound=EngineEvent)
ROOM = "01900000-0000-7000-8000-00000000bbbb"


class Guest(Peer):
    """A peer whose way down is a connection of its own."""

    only_loopback = False

    def __init__(self, codec: VideoCodec, *, listens_only: bool) -> None:
        super().__init__(codec, listens_only=listens_only)
        self.down: RTCPeerConnection | None = None

    async def take(self, offer: str) -> str:
        """Answer what the engine offers."""
        if self.down is not None:
            await self.down.close()
        self.down = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.down.on("track", self._on_track)
        await self.down.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
        await self.down.setLocalDescription(await self.down.createAnswer())
        return str(self.down.localDescription.sdp)

    async def close(self) -> None:
        if self.down is not None:
            await self.down.close()
        await super().close()


class Stage:
    """The engine, its events, and guests who answer its offers."""

    def __init__(self, store: FolderStore, folder: Path) -> None:
        self.events: list[EngineEvent] = []
        self.guests: dict[str, Guest] = {}
        self.folder = folder
        self._answering: set[asyncio.Task[None]] = set()
        self.engine = JanusEngine(store, Clock(), self._heard, JanusOptions(folder), Patience(2.0, 4.0, 4.0))

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def _heard(self, event: EngineEvent) -> None:
        self.events.append(event)
        if isinstance(event, Offered):
            task = asyncio.create_task(self._answer(event))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, event: Offered) -> None:
        answer = await self.guests[event.participant_id].take(event.sdp)
        await self.engine.answer(ROOM, event.participant_id, answer)

    async def enter(
        self, who: str, role: Role, codec: VideoCodec = VideoCodec.VP8, watches: Role | None = None
    ) -> Guest:
        await self.engine.open_room(ROOM, RoomPolicy(codec=codec))
        guest = Guest(codec, listens_only=role is Role.SUPERVISOR)
        earlier, self.guests[who] = self.guests.get(who), guest
        reply = await self.engine.join(ROOM, who, role, await guest.offer(), watches)
        if isinstance(reply, SdpAnswer):
            await guest.accept(reply.sdp)
        else:
            assert isinstance(reply, AwaitOffer)
        if earlier is not None:
            await earlier.close()
        return guest


@pytest.fixture
async def stage(store: FolderStore, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stage]:
    made = Stage(store, tmp_path / "janus")
    async with asyncio.timeout(20):
        await made.engine.ready()
    yield made
    for guest in made.guests.values():
        await guest.close()
    await made.engine.close()
    assert not made.folder.exists()


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_two_people_see_and_hear_each_other_and_both_are_recorded(
    stage: Stage, store: FolderStore, codec: VideoCodec
) -> None:
    patient = await stage.enter("p", Role.PATIENT, codec)
    doctor = await stage.enter("d", Role.DOCTOR, codec)
    await until(lambda: min(*patient.received.values(), *doctor.received.values()) > 50, 20, "media")

    manifest = await stage.engine.close_room(ROOM, "bye")

    assert {(segment.role, segment.number, segment.close_reason) for segment in manifest} == {
        (Role.PATIENT, 1, "bye"), (Role.DOCTOR, 1, "bye"),
    }  # fmt: skip
    for segment in manifest:
        played, info = await decoded(store, segment.object_key), await store.info(segment.object_key)
        assert played.frames == {"video": segment.video_frames, "audio": segment.audio_frames}
        assert segment.video_frames > 40
        assert abs(played.ends["audio"] - played.ends["video"]) < 0.15
        assert (info.sha256, info.complete) == (segment.sha256, True)
    assert {event.segment for event in stage.of(SegmentClosed)} == set(manifest)
    assert list((stage.folder / "recordings").iterdir()) == []


async def test_a_supervisor_sees_one_party_and_is_neither_seen_nor_recorded(stage: Stage) -> None:
    patient = await stage.enter("p", Role.PATIENT)
    await stage.enter("d", Role.DOCTOR)
    supervisor = await stage.enter("s:patient", Role.SUPERVISOR, watches=Role.PATIENT)

    await until(lambda: min(supervisor.received.values()) > 20, 20, "picture and voice")
    before = patient.received["video"]
    await until(lambda: patient.received["video"] > before + 20, 5, "the call goes on")

    assert {segment.role for segment in await stage.engine.close_room(ROOM)} == {Role.PATIENT, Role.DOCTOR}


async def test_whoever_comes_back_replaces_himself_and_is_seen_again(stage: Stage) -> None:
    doctor = await stage.enter("d", Role.DOCTOR)
    await stage.enter("p", Role.PATIENT)
    await until(lambda: doctor.received["video"] > 10, 20, "media")

    second = await stage.enter("p", Role.PATIENT)
    before = doctor.received["video"]
    await until(
        lambda: second.received["video"] > 10 and doctor.received["video"] > before + 10, 20, "media again"
    )

    patients = [one for one in await stage.engine.close_room(ROOM) if one.role is Role.PATIENT]
    assert [(segment.number, segment.close_reason) for segment in patients] == [
        (1, "replaced"),
        (2, "closed"),
    ]
    assert [event.connection for event in stage.of(Joined) if event.participant_id == "p"] == [1, 2]


async def test_silence_is_noticed_and_so_is_its_end(stage: Stage) -> None:
    guest = await stage.enter("p", Role.PATIENT)
    await until(lambda: bool(stage.of(SegmentOpened)), 20, "media")

    for track in guest.tracks.values():
        track.silent = True
    await until(lambda: bool(stage.of(MediaLost)), 8, "a warning")
    for track in guest.tracks.values():
        track.silent = False
    await until(lambda: bool(stage.of(MediaBack)), 6, "an all-clear")

    assert not stage.of(Left)


async def test_who_sends_nothing_any_more_is_let_go(stage: Stage, store: FolderStore) -> None:
    guest = await stage.enter("p", Role.PATIENT)
    await until(lambda: bool(stage.of(SegmentOpened)), 20, "a recording")

    guest.unplug()
    await until(lambda: bool(stage.of(Left)), 12, "the end")

    assert stage.of(Left)[0].reason == "absent"
    assert (await store.info(stage.of(SegmentClosed)[0].segment.object_key)).complete


async def test_a_janus_that_dies_loses_a_second_at_most_and_the_call_goes_on_in_its_next_life(
    stage: Stage, store: FolderStore
) -> None:
    guest, _ = await stage.enter("p", Role.PATIENT), await stage.enter("d", Role.DOCTOR)
    await until(
        lambda: len(stage.of(SegmentOpened)) == 2 and guest.tracks["video"].played > 4, 25, "recordings"
    )
    process = stage.engine._life.process._process if stage.engine._life else None
    assert process is not None

    os.kill(process.pid, signal.SIGKILL)
    killed, sent = time.monotonic(), guest.tracks["video"].played
    await until(lambda: bool(stage.of(EngineLost)), 5, "the loss")
    manifest = await stage.engine.close_room(ROOM, "moving")
    await until(lambda: stage.engine.healthy, 10, "another life")
    both = [await stage.enter("p", Role.PATIENT), await stage.enter("d", Role.DOCTOR)]
    await until(lambda: min(count for one in both for count in one.received.values()) > 10, 10, "media again")

    assert time.monotonic() - killed < 10
    assert [segment.close_reason for segment in manifest] == ["moving", "moving"]
    (hers,) = (segment for segment in manifest if segment.role is Role.PATIENT)
    kept = await decoded(store, hers.object_key)
    assert kept.ends["video"] > sent - 1.0
    assert kept.frames["video"] > 30 * (sent - 1.0) * 0.9
    await until(lambda: len(stage.of(SegmentOpened)) == 4, 10, "recordings again")


async def test_what_cannot_be_joined_is_refused_with_a_reason(stage: Stage) -> None:
    await stage.enter("d", Role.DOCTOR, VideoCodec.H264)
    stranger = Peer(VideoCodec.VP8)
    offer = await stranger.offer()

    for who, role, said, code in (
        ("p", Role.PATIENT, offer, "codec_not_offered"), ("p", Role.PATIENT, "v=0", "bad_offer"),
        ("p", Role.PATIENT, "v=0\r\nm=audio x\r\nm=video y\r\n", "bad_offer"), ("d2", Role.DOCTOR, offer, "role_taken"),
    ):  # fmt: skip
        with pytest.raises(JoinRefused) as refused:
            await stage.engine.join(ROOM, who, role, said)
        assert refused.value.code == code
    with pytest.raises(JoinRefused) as refused:
        await stage.engine.answer(ROOM, "d", "v=0")
    assert refused.value.code == "bad_message"
    with pytest.raises(JoinRefused) as refused:
        await stage.engine.join("another", "p", Role.PATIENT, offer)
    assert refused.value.code == "no_room"
    await stranger.close()
