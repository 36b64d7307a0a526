"""The engine itself: keeps Janus alive, its rooms by id, one writer thread, one watchdog."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from backend.video.engine import (
    JoinRefused,
    JoinReply,
    OnEvent,
    Role,
    RoomPolicy,
    RoomStats,
    Segment,
)
from backend.video.janus_engine.process import JanusOptions, JanusProcess
from backend.video.janus_engine.room import JanusLife, Room
from backend.video.janus_engine.session import JanusGone, JanusRefused, JanusSession
from backend.video.seating import Archive, Patience
from foundation.clock import Clock
from foundation.logs import log
from foundation.object_store import ObjectStore

WATCH_EVERY = 0.5
BACK_OFF = (0.2, 1.0, 3.0, 10.0)
LIVED_WELL = 60.0


class JanusEngine:
    """`backend.video.engine.MediaEngine` on Janus. Make it inside the event loop; `healthy` once Janus runs."""

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        on_event: OnEvent,
        options: JanusOptions,
        patience: Patience | None = None,
    ) -> None:
        self._options = options
        self._patience = patience or Patience()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")
        self._archive = Archive(store, clock, self._writer)
        self._on_event = on_event
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._life: JanusLife | None = None
        self._process: JanusProcess | None = None
        self._ready = asyncio.Event()
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._watch())]

    @property
    def healthy(self) -> bool:
        """Whether Janus runs and answers."""
        return self._life is not None

    async def ready(self) -> None:
        """Wait until it runs for the first time."""
        await self._ready.wait()

    async def open_room(self, room_id: str, policy: RoomPolicy) -> None:
        """Make the room unless it is open; one that is being closed is waited for."""
        async with self._opening.setdefault(room_id, asyncio.Lock()):
            while (room := self._rooms.get(room_id)) is not None and room.closed:
                await self.close_room(room_id)
            if room is not None:
                return
            if self._life is None:
                raise JoinRefused("moving")
            made = Room(room_id, policy, self._life)
            try:
                await made.open()
            except (JanusRefused, JanusGone) as error:
                raise JoinRefused("moving", str(error)) from error
            self._rooms[room_id] = made

    async def join(
        self, room_id: str, participant_id: str, role: Role, offer: str, watches: Role | None = None
    ) -> JoinReply:
        """Answer an offer; `JoinRefused`."""
        room = self._rooms.get(room_id)
        if room is None:
            raise JoinRefused("no_room")
        return await room.join(participant_id, role, offer, watches)

    async def answer(self, room_id: str, participant_id: str, sdp: str) -> None:
        """The browser's answer to an offer of ours; `JoinRefused`."""
        room = self._rooms.get(room_id)
        if room is None:
            raise JoinRefused("no_room")
        await room.answer(participant_id, sdp)

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
        """End all rooms, Janus and the writer; the engine is of no use afterwards."""
        await asyncio.gather(*(self.close_room(room_id, reason) for room_id in list(self._rooms)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._writer.shutdown)

    async def _keep_alive(self) -> None:
        """One life of Janus after the other."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._live()
            except Exception as error:  # whatever it was, the next life may do
                log.error("janus_failed", problem=f"{type(error).__name__}: {error}")
            failures = 0 if loop.time() - began > LIVED_WELL else failures + 1
            await asyncio.sleep(BACK_OFF[min(failures, len(BACK_OFF)) - 1] if failures else BACK_OFF[0])

    async def _live(self) -> None:
        process = JanusProcess(self._options)
        session: JanusSession | None = None
        try:
            await process.start()
            session = JanusSession(f"http://127.0.0.1:{process.port}", process.secret, self._told)
            await session.open()
            self._life = JanusLife(process, session, self._archive, self._patience, self._on_event)
            self._ready.set()
            await self._until_lost(process, session)
        finally:
            self._life = None
            if session is not None:
                await session.close()
            for room in list(self._rooms.values()):  # its owner closes it, and everybody goes elsewhere
                room.lost()
            await asyncio.shield(process.stop())

    async def _until_lost(self, process: JanusProcess, session: JanusSession) -> None:
        ends = [asyncio.create_task(process.ended()), asyncio.create_task(session.lost.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            log.error("janus_lost", last_words=process.last_words())
        finally:
            for task in ends:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*ends, return_exceptions=True)

    def _told(self, handle: int, told: dict[str, Any]) -> None:
        life = self._life
        if life is not None and (listener := life.whose.get(handle)) is not None:
            listener(told)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for room in list(self._rooms.values()):
                try:
                    room.watch()
                except Exception as error:
                    log.error("watchdog_failed", room=room.id, exc_info=error)
