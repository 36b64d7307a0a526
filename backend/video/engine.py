"""The media engine as the rest of the backend sees it, in the words of a consultation.

An engine holds rooms; a participant joins a room with an offer and gets a reply; what happens inside comes back as
events. Engines differ in how the browser gets in (`JoinReply`), in nothing else that matters to a caller.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """Who somebody is in the room. A room has one patient's side, one doctor's side and any authorised supervisors."""

    PATIENT = "patient"
    DOCTOR = "doctor"
    SUPERVISOR = "supervisor"


class VideoCodec(StrEnum):
    """One per room, so that packets can be forwarded as they are."""

    VP8 = "VP8"
    H264 = "H264"


@dataclass(frozen=True, kw_only=True)
class RoomPolicy:
    """How a room is to be kept. `segments_before` has the number of segments that a participant already has elsewhere."""

    codec: VideoCodec = VideoCodec.VP8
    record: bool = True
    max_bitrate: int = 1_200_000
    """Ceiling of a participant's video in bit/s."""
    folder: str = "recordings"
    """Prefix of the object keys of the recordings."""
    segments_before: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SdpAnswer:
    """The browser completes its own offer with this answer."""

    sdp: str


@dataclass(frozen=True)
class ClientToken:
    """The browser connects to a media server of its own kind with this token."""

    url: str
    token: str


@dataclass(frozen=True)
class AwaitOffer:
    """The browser's offer is not needed: what there is to see comes as `Offered`."""


JoinReply = SdpAnswer | ClientToken | AwaitOffer


@dataclass(frozen=True)
class Segment:
    """One line of a recording's manifest: what one participant sent over one connection."""

    id: str
    room_id: str
    participant_id: str
    role: Role
    number: int
    object_key: str
    started_at: datetime
    first_pts_ms: int = 0
    last_pts_ms: int = 0
    video_frames: int = 0
    audio_frames: int = 0
    bytes: int = 0
    sha256: str = ""
    close_reason: str = ""


@dataclass(frozen=True)
class EngineEvent:
    """Something happened in a room."""

    room_id: str


@dataclass(frozen=True)
class PeerEvent(EngineEvent):
    """Something happened to a participant."""

    participant_id: str
    role: Role


@dataclass(frozen=True)
class Joined(PeerEvent):
    """The participant has been answered; `connection` counts the participant's connections to this room."""

    connection: int


@dataclass(frozen=True)
class Offered(PeerEvent):
    """The engine offers the participant what somebody else sends; the browser's answer goes to `MediaEngine.answer`.

    Only engines that keep ways up and ways down apart do so. An offer replaces the one before.
    """

    sdp: str


@dataclass(frozen=True)
class MediaStarted(PeerEvent):
    """The first packet of the connection arrived."""


@dataclass(frozen=True)
class MediaLost(PeerEvent):
    """Nothing has arrived for `seconds`."""

    seconds: float


@dataclass(frozen=True)
class MediaBack(PeerEvent):
    """Media arrives again on the same connection, after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Left(PeerEvent):
    """The connection has ended: `bye`, `replaced`, `kicked`, `absent`, `not_connected`, `failed`, `room_closed` …"""

    connection: int
    reason: str


@dataclass(frozen=True)
class SegmentOpened(EngineEvent):
    """A recording has begun; its size and digest are not known yet."""

    segment: Segment


@dataclass(frozen=True)
class SegmentClosed(EngineEvent):
    """A recording has ended and is on disk."""

    segment: Segment


@dataclass(frozen=True)
class RecordingFailed(EngineEvent):
    """Media could not be recorded; the call goes on."""

    participant_id: str
    problem: str


@dataclass(frozen=True)
class EngineLost(EngineEvent):
    """The engine cannot keep the room any longer; it has to move."""

    reason: str


OnEvent = Callable[[EngineEvent], None]
"""Called in the event loop; must not block and must not raise."""


@dataclass(frozen=True)
class ParticipantStats:
    """Counters of one connection since it began."""

    participant_id: str
    role: Role
    connection: int
    seconds_since_media: float | None
    packets_in: int
    packets_lost: int
    bytes_in: int
    packets_out: int
    keyframes_asked: int
    bitrate_allowed: int | None


@dataclass(frozen=True)
class RoomStats:
    """A room as it is now."""

    room_id: str
    participants: tuple[ParticipantStats, ...]


class JoinRefused(Exception):
    """Why somebody cannot join: `code` is one of `wire.DETAILS`, from an engine `bad_offer`, `codec_not_offered`,
    `role_taken`, `no_room`, `room_full` or `moving` (the engine is gone)."""

    def __init__(self, code: str, problem: str = "") -> None:
        super().__init__(f"{code}: {problem}" if problem else code)
        self.code = code


class MediaEngine(Protocol):
    """What every engine does. All methods may be called at any time and in any order."""

    async def open_room(self, room_id: str, policy: RoomPolicy) -> None:
        """Make the room; nothing happens when it is open."""

    async def join(
        self, room_id: str, participant_id: str, role: Role, offer: str, watches: Role | None = None
    ) -> JoinReply:
        """Let somebody in; an earlier connection of the same participant ends as `replaced`. `JoinRefused`.

        A patient and a doctor offer one audio and one video line, both ways. A supervisor offers the same two lines, to
        receive only, and gets what the party named by `watches` sends: for both parties she has two connections.
        """

    async def answer(self, room_id: str, participant_id: str, sdp: str) -> None:
        """The browser's answer to the last `Offered`; `JoinRefused` when none was waiting or it cannot be used."""

    async def leave(self, room_id: str, participant_id: str, reason: str = "bye") -> None:
        """End the participant's connection; nothing happens when there is none."""

    async def kick(self, room_id: str, participant_id: str) -> None:
        """End the participant's connection because somebody else wants so."""

    async def close_room(self, room_id: str, reason: str = "closed") -> list[Segment]:
        """End every connection and recording; the manifest of the room, all of its segments."""

    def stats(self, room_id: str) -> RoomStats | None:
        """Counters; None when there is no such room."""

    @property
    def healthy(self) -> bool:
        """Whether new rooms can be opened at the moment."""

    async def close(self, reason: str = "shutdown") -> None:
        """Close every room."""
