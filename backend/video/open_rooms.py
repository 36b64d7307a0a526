"""What every engine does with its rooms, whatever carries the media: open, find, leave, close, count, watch."""

import asyncio
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from backend.video.engine import JoinRefused, RoomPolicy, RoomStats, Segment
from backend.video.seating import Archive
from foundation.clock import Clock
from foundation.logs import log
from foundation.object_store import ObjectStore

WATCH_EVERY = 0.5


class OpenRoom(Protocol):
    """A room as an engine sees it from outside."""

    closed: bool

    @property
    def id(self) -> str:
        """Of the room."""

    async def leave(self, participant_id: str, reason: str) -> None:
        """End a connection; its recording is on disk when this returns."""

    async def close(self, reason: str) -> list[Segment]:
        """End everything; the manifest."""

    def watch(self) -> None:
        """Look for who is silent and who is gone."""

    def stats(self) -> RoomStats:
        """Counters."""


R = TypeVar("R", bound=OpenRoom)


class OpenRooms(ABC, Generic[R]):
    """The part of `backend.video.engine.MediaEngine` that is about rooms. Make it inside the event loop; one writer thread for all."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")
        self._archive = Archive(store, clock, self._writer)
        self._rooms: dict[str, R] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._tasks = [asyncio.create_task(self._watch())]

    @abstractmethod
    async def _made(self, room_id: str, policy: RoomPolicy) -> R:
        """A new room; `JoinRefused` where there cannot be one now."""

    async def open_room(self, room_id: str, policy: RoomPolicy) -> None:
        """Make the room unless it is open; one that is being closed is waited for."""
        async with self._opening.setdefault(room_id, asyncio.Lock()):
            while (room := self._rooms.get(room_id)) is not None and room.closed:
                await self.close_room(room_id)
            if room is None:
                self._rooms[room_id] = await self._made(room_id, policy)

    def _room(self, room_id: str) -> R:
        """`JoinRefused` when it is not open."""
        room = self._rooms.get(room_id)
        if room is None:
            raise JoinRefused("no_room")
        return room

    async def leave(self, room_id: str, participant_id: str, reason: str = "bye") -> None:
        """End a connection; its recording is on disk when this returns."""
        room = self._rooms.get(room_id)
        if room is not None:
            await room.leave(participant_id, reason)

    async def kick(self, room_id: str, participant_id: str) -> None:
        """End a connection on somebody else's wish."""
        await self.leave(room_id, participant_id, "kicked")

    async def close_room(self, room_id: str, reason: str = "closed") -> list[Segment]:
        """End a room; its manifest, empty when there was no such room."""
        room = self._rooms.get(room_id)
        if room is None:
            return []
        segments = await room.close(reason)
        if self._rooms.get(room_id) is room:
            del self._rooms[room_id]
            self._opening.pop(room_id, None)
        return segments

    def stats(self, room_id: str) -> RoomStats | None:
        """Counters of a room."""
        room = self._rooms.get(room_id)
        return room.stats() if room is not None else None

    async def close(self, reason: str = "shutdown") -> None:
        """End all rooms, what runs beside them, and the writer; the engine is of no use afterwards."""
        await asyncio.gather(*(self.close_room(room_id, reason) for room_id in list(self._rooms)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._writer.shutdown)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for room in list(self._rooms.values()):
                try:
                    room.watch()
                except Exception as error:
                    log.error("watchdog_failed", room=room.id, exc_info=error)
