"""The engine itself: keeps Janus alive, and its rooms behind the port."""

import asyncio
import contextlib
from typing import Any

from backend.video.engine import (
    JoinRefused,
    JoinReply,
    OnEvent,
    Role,
    RoomPolicy,
)
from backend.video.janus_engine.process import JanusOptions, JanusProcess
from backend.video.janus_engine.room import JanusLife, Room
from backend.video.janus_engine.session import JanusGone, JanusRefused, JanusSession
from backend.video.open_rooms import OpenRooms
from backend.video.seating import Patience
from foundation.clock import Clock
from foundation.logs import log
from foundation.object_store import ObjectStore

BACK_OFF = (0.2, 1.0, 3.0, 10.0)
LIVED_WELL = 60.0


class JanusEngine(OpenRooms[Room]):
    """`backend.video.engine.MediaEngine` on Janus. Make it inside the event loop; `healthy` once Janus runs."""

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        on_event: OnEvent,
        options: JanusOptions,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(store, clock)
        self._options = options
        self._patience = patience or Patience()
        self._on_event = on_event
        self._life: JanusLife | None = None
        self._process: JanusProcess | None = None
        self._ready = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._keep_alive()))

    @property
    def healthy(self) -> bool:
        """Whether Janus runs and answers."""
        return self._life is not None

    async def ready(self) -> None:
        """Wait until it runs for the first time."""
        await self._ready.wait()

    async def _made(self, room_id: str, policy: RoomPolicy) -> Room:
        if self._life is None:
            raise JoinRefused("moving")
        made = Room(room_id, policy, self._life)
        try:
            await made.open()
        except (JanusRefused, JanusGone) as error:
            raise JoinRefused("moving", str(error)) from error
        return made

    async def join(
        self, room_id: str, participant_id: str, role: Role, offer: str, watches: Role | None = None
    ) -> JoinReply:
        """Answer an offer; `JoinRefused`."""
        return await self._room(room_id).join(participant_id, role, offer, watches)

    async def answer(self, room_id: str, participant_id: str, sdp: str) -> None:
        """The browser's answer to an offer of ours; `JoinRefused`."""
        await self._room(room_id).answer(participant_id, sdp)

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
