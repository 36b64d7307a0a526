"""The engine itself: rooms by id, one writer thread, one watchdog."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from backend.video.aiortc_engine.connection import Network
from backend.video.aiortc_engine.names import missing
from backend.video.aiortc_engine.room import Room, Surroundings
from backend.video.engine import (
    JoinRefused,
    JoinReply,
    OnEvent,
    Role,
    RoomPolicy,
    RoomStats,
    SdpAnswer,
    Segment,
)
from backend.video.seating import Archive, Patience
from foundation.clock import Clock
from foundation.logs import log
from foundation.object_store import ObjectStore

WATCH_EVERY = 0.5


class AiortcEngine:
    """`backend.video.engine.MediaEngine` on aiortc. Make it inside the event loop that will carry the media."""

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        on_event: OnEvent,
        network: Network | None = None,
        patience: Patience | None = None,
    ) -> None:
        if gone := missing():
            raise RuntimeError("aiortc is not the one this was written for: " + "; ".join(gone))
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")
        self._around = Surroundings(
            Archive(store, clock, self._writer), network or Network(), patience or Patience(), on_event
        )
        self._rooms: dict[str, Room] = {}
        self._watching = asyncio.create_task(self._watch())

    async def open_room(self, room_id: str, policy: RoomPolicy) -> None:
        """Make the room unless it is open; one that is being closed is waited for."""
        while (room := self._rooms.get(room_id)) is not None and room.closed:
            await self.close_room(room_id)
        if room is None:
            self._rooms[room_id] = Room(room_id, policy, self._around)

    async def join(
        self, room_id: str, participant_id: str, role: Role, offer: str, watches: Role | None = None
    ) -> JoinReply:
        """Answer an offer; `JoinRefused`."""
        room = self._rooms.get(room_id)
        if room is None:
            raise JoinRefused("no_room")
        return SdpAnswer(await room.join(participant_id, role, offer, watches))

    async def answer(self, room_id: str, participant_id: str, sdp: str) -> None:
        """Nothing is ever offered."""
        raise JoinRefused("bad_message")

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
        return segments

    def stats(self, room_id: str) -> RoomStats | None:
        """Counters of a room."""
        room = self._rooms.get(room_id)
        return room.stats() if room is not None else None

    @property
    def healthy(self) -> bool:
        """It lives as long as this process."""
        return True

    async def close(self, reason: str = "shutdown") -> None:
        """End all rooms and the writer; the engine is of no use afterwards."""
        self._watching.cancel()
        await asyncio.gather(*(self.close_room(room_id, reason) for room_id in list(self._rooms)))
        await asyncio.to_thread(self._writer.shutdown)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for room in list(self._rooms.values()):
                try:
                    room.watch()
                except Exception as error:
                    log.error("watchdog_failed", room=room.id, exc_info=error)
