"""One room of Janus: who is in it, who sees whom, and when somebody counts as gone."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backend.video import members
from backend.video.descriptions import MAX_OFFER, OPUS_PARAMETERS, finished_answer, kinds, without_candidates
from backend.video.engine import (
    AwaitOffer,
    EngineLost,
    JoinRefused,
    JoinReply,
    MediaBack,
    MediaLost,
    MediaStarted,
    Offered,
    OnEvent,
    ParticipantStats,
    Role,
    RoomPolicy,
    RoomStats,
    SdpAnswer,
    Segment,
    VideoCodec,
)
from backend.video.janus_engine.process import JanusProcess
from backend.video.janus_engine.session import JanusGone, JanusRefused, JanusSession
from backend.video.janus_engine.supply import Supply
from backend.video.seating import Archive, Patience, admit
from foundation.logs import log

LINES = ["audio", "video"]
CODEC_NAMES = {VideoCodec.VP8: "vp8", VideoCodec.H264: "h264"}
NO_SUCH_ROOM, UNAUTHORISED_FEED = 426, 428
STEADY_VOICE = f"{OPUS_PARAMETERS};cbr=1;maxaveragebitrate=64000"
"""Janus keeps 4 KB of each file to itself and loses them with its life: of a steady voice of 64 kbit/s that is half a second."""


@dataclass
class JanusLife:
    """What the rooms of one life of Janus share. `whose` finds the room of a handle."""

    process: JanusProcess
    session: JanusSession
    archive: Archive
    patience: Patience
    on_event: OnEvent
    whose: dict[int, Callable[[dict[str, Any]], None]] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class Member(members.Member):
    """`up` is the handle that sends, `down` the one that shows somebody else."""

    up: int | None = None
    down: int | None = None
    shows: "Member | None" = None
    asked: bool = False
    receiving: dict[str, bool] = field(default_factory=dict)
    silent_since: float | None = None
    warned: bool = False
    keyframes: int = 0
    supply: Supply | None = None
    linking: "asyncio.Lock" = field(default_factory=asyncio.Lock)

    @property
    def feed(self) -> str:
        """Name of what it sends, in Janus."""
        return f"{self.participant_id}.{self.number}"


class Room(members.MembersRoom[Member]):
    """Members with two handles each."""

    def __init__(self, room_id: str, policy: RoomPolicy, life: JanusLife) -> None:
        super().__init__(room_id, policy, life.archive, life.on_event)
        self._life = life
        self._control: int | None = None

    async def open(self) -> None:
        """Make it in Janus."""
        session, policy = self._life.session, self.policy
        self._control = await session.attach()
        body = {
            "request": "create", "room": self.id, "publishers": 8, "bitrate": policy.max_bitrate, "bitrate_cap": True,
            "audiocodec": "opus", "videocodec": CODEC_NAMES[policy.codec], "h264_profile": "42e01f", "opus_fec": True,
            "rec_dir": str(self._life.process.recordings), "audiolevel_ext": False, "is_private": True,
        }  # fmt: skip
        await session.ask(self._control, body)

    async def join(self, participant_id: str, role: Role, offer: str, watches: Role | None) -> JoinReply:
        """Answer an offer, or promise one. An earlier connection of the same participant is replaced."""
        admit(self._members.values(), participant_id, role, watches)
        if len(offer) > MAX_OFFER or kinds(offer) != LINES:
            raise JoinRefused("bad_offer", f"m-lines must be {' '.join(LINES)}")
        number = self._numbered(participant_id)
        member = Member(
            participant_id=participant_id, role=role, number=number, since=self._now(), watches=watches
        )
        reply: JoinReply = AwaitOffer()
        if role is not Role.SUPERVISOR:
            reply = SdpAnswer(await self._publish(member, without_candidates(offer)))
        if self.closed:
            await self._let_go(member)
            raise JoinRefused("no_room")
        self._seat(member)
        return reply

    async def answer(self, participant_id: str, sdp: str) -> None:
        """The browser's answer to what was offered last."""
        member = self._members.get(participant_id)
        if member is None or member.down is None or not member.asked or len(sdp) > MAX_OFFER:
            raise JoinRefused("bad_message")
        member.asked = False
        try:
            jsep = ("answer", without_candidates(sdp))
            await self._life.session.ask(member.down, {"request": "start"}, jsep)
        except JanusRefused as error:
            raise JoinRefused("bad_offer", str(error)) from error
        except JanusGone as error:
            raise JoinRefused("moving") from error

    async def close(self, reason: str) -> list[Segment]:
        """End everything; the manifest."""
        segments = await super().close(reason)
        if self._control is not None:
            with contextlib.suppress(JanusRefused, JanusGone):
                await self._life.session.ask(self._control, {"request": "destroy", "room": self.id})
            await self._life.session.detach(self._control)
        return segments

    def lost(self) -> None:
        """Janus is gone."""
        self._tell(EngineLost(self.id, "Janus ended"))

    def watch(self) -> None:
        """Called twice a second: who is silent, who is gone, who never came."""
        now, patience = self._now(), self._life.patience
        for member in list(self._members.values()):
            if not member.connected:
                answered = member.up is not None or member.shows is not None
                if answered and now - member.since > patience.connect:
                    self._end(member, "not_connected")
            elif member.silent_since is not None:
                self._watch_silence(member, now - member.silent_since)

    def stats(self) -> RoomStats:
        """Counters of everybody in the room, as far as Janus says them."""
        now = self._now()
        return RoomStats(
            self.id,
            tuple(
                ParticipantStats(
                    member.participant_id, member.role, member.number,
                    round(now - member.silent_since, 3) if member.silent_since else 0.0 if member.started else None,
                    member.supply.packets if member.supply else 0, 0, member.supply.bytes if member.supply else 0, 0,
                    member.keyframes, None,
                )
                for member in self._members.values()
            ),
        )  # fmt: skip

    # inside

    async def _publish(self, member: Member, offer: str) -> str:
        session = self._life.session
        name = f"{self.id}-{len(self._counts)}-{member.role}-{member.number}"
        try:
            up = member.up = await session.attach()
            self._life.whose[up] = lambda told: self._told_of_up(member, told)
            body = {
                "request": "joinandconfigure", "ptype": "publisher", "room": self.id, "id": member.feed,
                "bitrate": self.policy.max_bitrate, "record": self.policy.record, "filename": name,
            }  # fmt: skip
            _, answer = await session.ask(up, body, ("offer", offer))
        except JanusRefused as error:
            await self._let_go(member)
            raise JoinRefused("bad_offer", str(error)) from error
        except JanusGone as error:
            raise JoinRefused("moving") from error
        if not answer or "m=video 0 " in answer or "m=audio 0 " in answer:
            await self._let_go(member)
            raise JoinRefused("codec_not_offered")
        member.supply = Supply(
            self._life.process.recordings / name,
            lambda: self._ask_keyframe(member),
            lambda: self._record_no_more(up),
        )
        member.recorder = self._manifest.record(member.participant_id, member.role, member.supply)
        return finished_answer(
            answer, public_address="", max_bitrate=self.policy.max_bitrate, voice=STEADY_VOICE
        )

    def _link(self) -> None:
        """Offer everybody what she is to see and does not see yet."""
        senders = {
            member.role: member
            for member in self._members.values()
            if member.up is not None and member.connected and member.ending is None
        }
        for member in self._members.values():
            other = Role.DOCTOR if member.role is Role.PATIENT else Role.PATIENT
            source = senders.get(member.watches or other)
            if source is not None and member.shows is not source:
                member.shows = source
                self._spawn(self._show(member, source))

    async def _show(self, member: Member, source: Member) -> None:
        session = self._life.session
        async with member.linking:
            if member.shows is not source or member.ending is not None:
                return
            if member.down is not None:
                self._life.whose.pop(member.down, None)
                await session.detach(member.down)
                member.down = None
            try:
                down = member.down = await session.attach()
                self._life.whose[down] = lambda told: self._told_of_down(member, told)
                body = {
                    "request": "join",
                    "ptype": "subscriber",
                    "room": self.id,
                    "streams": [{"feed": source.feed}],
                }
                _, offer = await session.ask(down, body)
            except (JanusRefused, JanusGone) as error:
                log.warning("not_shown", room=self.id, role=member.role, problem=str(error))
                member.shows = None
                return
            member.asked = True
            self._tell(Offered(self.id, member.participant_id, member.role, offer))

    def _told_of_up(self, member: Member, told: dict[str, Any]) -> None:
        match told["janus"]:
            case "webrtcup":
                member.connected = True
                self._link()
            case "hangup":
                self._end(member, _why(str(told.get("reason", ""))))
            case "media":
                self._heard(member, str(told.get("type")), receiving=bool(told.get("receiving")))

    def _told_of_down(self, member: Member, told: dict[str, Any]) -> None:
        if told["janus"] == "webrtcup" and member.up is None:
            member.connected = True
        elif told["janus"] == "hangup" and member.up is None:
            self._end(member, _why(str(told.get("reason", ""))))

    def _heard(self, member: Member, kind: str, *, receiving: bool) -> None:
        member.receiving[kind] = receiving
        if any(member.receiving.values()):
            if not member.started:
                member.started = True
                self._tell(MediaStarted(self.id, member.participant_id, member.role))
            if member.warned and member.silent_since is not None:
                silent = round(self._now() - member.silent_since, 1)
                self._tell(MediaBack(self.id, member.participant_id, member.role, silent))
            member.silent_since, member.warned = None, False
        elif member.silent_since is None:
            member.silent_since = self._now() - self._life.patience.warn  # Janus says so after that time

    def _watch_silence(self, member: Member, silent: float) -> None:
        if silent > self._life.patience.absent:
            self._end(member, "absent")
        elif not member.warned:
            member.warned = True
            self._tell(MediaLost(self.id, member.participant_id, member.role, round(silent, 1)))

    def _ask_keyframe(self, member: Member) -> None:
        async def ask() -> None:
            if member.up is not None and member.ending is None:
                member.keyframes += 1
                with contextlib.suppress(JanusRefused, JanusGone):
                    body = {"request": "configure", "keyframe": True}
                    await self._life.session.ask(member.up, body)

        self._spawn(ask())

    async def _record_no_more(self, up: int) -> None:
        with contextlib.suppress(JanusRefused, JanusGone):
            await self._life.session.ask(up, {"request": "configure", "record": False})

    def _forget(self, member: Member) -> None:
        for other in self._members.values():
            if other.shows is member:
                other.shows = None

    async def _let_go(self, member: Member) -> None:
        for handle in (member.up, member.down):
            if handle is not None:
                self._life.whose.pop(handle, None)
                await self._life.session.detach(handle)
        member.up = member.down = None


def _why(reason: str) -> str:
    """Janus' words for a browser that hung up, and for a way that broke."""
    return "failed" if "ICE" in reason else "disconnected"
