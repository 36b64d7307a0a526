"""What every engine's room does with its members: a seat, its end, the recording that is closed with it, and telling of it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from backend.video.engine import EngineEvent, Joined, Left, OnEvent, PeerEvent, Role, RoomPolicy, Segment
from backend.video.recording.recorder import Recorder
from backend.video.seating import Archive, Manifest
from foundation.logs import log


@dataclass(eq=False, kw_only=True)
class Member:
    """One connection of one participant."""

    participant_id: str
    role: Role
    number: int
    since: float
    watches: Role | None = None
    recorder: Recorder | None = None
    connected: bool = False
    started: bool = False
    ending: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        """Whether the connection is on its way out."""
        return self.ending is not None


M = TypeVar("M", bound=Member)


class MembersRoom(ABC, Generic[M]):
    """Members come and go, the manifest grows."""

    def __init__(self, room_id: str, policy: RoomPolicy, archive: Archive, on_event: OnEvent) -> None:
        self.id = room_id
        self.policy = policy
        self.closed = False
        self._on_event = on_event
        self._members: dict[str, M] = {}
        self._counts: dict[str, int] = {}
        self._now = asyncio.get_running_loop().time
        self._manifest = Manifest(room_id, policy, archive, self._tell, self._now)
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    def _link(self) -> None:
        """Show everybody whom she is to see now."""

    @abstractmethod
    async def _let_go(self, member: M) -> None:
        """Close what carried the member's media."""

    def _forget(self, member: M) -> None:
        """The member is no longer in the room; before the others are linked anew."""

    async def leave(self, participant_id: str, reason: str) -> None:
        """End the participant's connection and wait until its recording is on disk."""
        member = self._members.get(participant_id)
        if member is not None:
            await asyncio.shield(self._end(member, reason))

    async def close(self, reason: str) -> list[Segment]:
        """End everything; the manifest."""
        self.closed = True
        for member in list(self._members.values()):
            self._end(member, reason)
        while self._tasks:  # those included who were already on their way out
            await asyncio.wait(self._tasks)
        return list(self._manifest.segments.values())

    def _numbered(self, participant_id: str) -> int:
        """Which connection of this participant the next one is, from 1."""
        number = self._counts[participant_id] = self._counts.get(participant_id, 0) + 1
        return number

    def _seat(self, member: M) -> None:
        """In the room from now on; an earlier connection of the same participant is replaced."""
        earlier = self._members.get(member.participant_id)
        self._members[member.participant_id] = member
        if earlier is not None:
            self._end(earlier, "replaced")
        self._tell(Joined(self.id, member.participant_id, member.role, member.number))
        self._link()

    def _end(self, member: M, reason: str) -> "asyncio.Task[None]":
        """Take the member out at once; closing goes on in the task that is returned."""
        if member.ending is not None:
            return member.ending
        member.ending = self._spawn(self._finish(member, reason))
        if self._members.get(member.participant_id) is member:
            del self._members[member.participant_id]
        self._forget(member)
        self._link()
        return member.ending

    async def _finish(self, member: M, reason: str) -> None:
        try:
            if member.recorder is not None:
                await member.recorder.close(reason)
        finally:
            try:
                await self._let_go(member)
            except Exception as error:
                log.error("connection_close_failed", room=self.id, exc_info=error)
            self._tell(Left(self.id, member.participant_id, member.role, member.number, reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("room_failed", room=self.id, exc_info=task.exception())

    def _tell(self, event: EngineEvent | PeerEvent) -> None:
        try:
            self._on_event(event)
        except Exception as error:
            log.error("engine_event_failed", engine_event=type(event).__name__, exc_info=error)
