"""What every engine's rooms have in common: who may sit, how long silence is borne, and what is kept of whom."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backend.video.engine import (
    EngineEvent,
    JoinRefused,
    RecordingFailed,
    Role,
    RoomPolicy,
    Segment,
    SegmentClosed,
    SegmentOpened,
)
from backend.video.recording.recorder import Recorder, Supply
from backend.video.recording.segments import Outcome, Segments, wall_clock
from foundation.clock import Clock
from foundation.ids import new_id
from foundation.logs import log
from foundation.object_store import ObjectStore

MAX_SUPERVISORS = 2
"""Who may watch the same party at the same time."""


@dataclass(frozen=True)
class Patience:
    """Seconds: of silence before the others are warned and before somebody counts as gone, and to connect after the answer."""

    warn: float = 2.0
    absent: float = 10.0
    connect: float = 20.0


class Sitting(Protocol):
    """Somebody in a room."""

    @property
    def participant_id(self) -> str:
        """Who."""

    @property
    def role(self) -> Role:
        """As what."""

    @property
    def watches(self) -> Role | None:
        """Whom a supervisor watches."""


def admit(present: Iterable[Sitting], participant_id: str, role: Role, watches: Role | None) -> None:
    """`JoinRefused` when the seat is somebody else's. One's own earlier connection is no obstacle."""
    same = 0
    for member in present:
        if member.participant_id == participant_id:
            if member.role is not role:
                raise JoinRefused("role_taken")
        elif member.role is role and member.watches is watches:
            same += 1
    if role is Role.SUPERVISOR and same >= MAX_SUPERVISORS:
        raise JoinRefused("room_full")
    if role is not Role.SUPERVISOR and same:
        raise JoinRefused("role_taken")


@dataclass
class Archive:
    """Where an engine's recordings go: one writer thread for all of its rooms."""

    store: ObjectStore
    clock: Clock
    writer: ThreadPoolExecutor


class Manifest:
    """The recordings of one room: numbers segments, remembers them, tells of them."""

    def __init__(
        self, room_id: str, policy: RoomPolicy, archive: Archive, tell: Callable[[EngineEvent], None],
        loop_time: Callable[[], float],
    ) -> None:  # fmt: skip
        self.segments: dict[str, Segment] = {}
        self._room_id = room_id
        self._policy = policy
        self._archive = archive
        self._tell = tell
        self._loop_time = loop_time
        self._numbers: dict[str, Iterator[int]] = {}

    def record(self, participant_id: str, role: Role, supply: Supply) -> Recorder | None:
        """Begin to record a connection; None where nothing is to be recorded."""
        if not self._policy.record or role is Role.SUPERVISOR:
            return None
        before = self._policy.segments_before.get(participant_id, 0)
        numbers = self._numbers.setdefault(participant_id, itertools.count(before + 1))

        def new_segment(started_at: datetime) -> Segment:
            number, key = next(numbers), str(new_id())
            return Segment(
                id=key, room_id=self._room_id, participant_id=participant_id, role=role, number=number,
                object_key=f"{self._policy.folder}/{self._room_id}/{role}-{number:03d}-{key}.mkv", started_at=started_at,
            )  # fmt: skip

        at = wall_clock(self._archive.clock.now, self._loop_time)
        segments = Segments(self._archive.store, self._policy.codec, new_segment, at)
        return Recorder(
            segments, self._archive.writer, supply, lambda told: self._note(participant_id, role, told)
        )

    def _note(self, participant_id: str, role: Role, told: Outcome) -> None:
        for segment in told.opened:
            self.segments[segment.id] = segment
            self._tell(SegmentOpened(self._room_id, segment))
        for segment in told.closed:
            self.segments[segment.id] = segment
            self._tell(SegmentClosed(self._room_id, segment))
        if told.problem:
            log.error("recording_failed", room=self._room_id, role=role, problem=told.problem)
            self._tell(RecordingFailed(self._room_id, participant_id, told.problem))
