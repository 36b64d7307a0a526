"""Keeps everything moving: maps what arrived, sends what is due, seals the audit trail. Driven by the database.

Wake-ups only save time: each loop also looks by itself once a second, so that nothing depends on them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from foundation.db.sealer import seal_audit
from foundation.db.unit_of_work import Database
from foundation.logs import log
from regulator_adapter.claims import Batch, claim, unblock
from regulator_adapter.gate import Gate
from regulator_adapter.mapper import Mapper
from regulator_adapter.profiles import Profile
from regulator_adapter.replies import Meaning
from regulator_adapter.sign_in import SignIn
from regulator_adapter.submit import Answer, Sender

POLL = 1.0
UNBLOCK_EVERY = 15.0
GOODBYE = 10.0
SIGN_IN_EVERY = 10.0


@dataclass
class Line:
    """The way to one platform: at most `limit` requests at a time, none while its gate is closed.

    Requests run side by side; what the database has to know about them is written by one turn at a time, for all of them at once.
    """

    db: Database
    profile: Profile
    sender: Sender
    limit: int
    gate: Gate = field(default_factory=lambda: Gate(time.monotonic))
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    look_at_needs: bool = True
    _busy: set[UUID] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _answers: list[Answer] = field(default_factory=list)
    _made: set[str] = field(default_factory=set)
    _looked_at: float = 0.0

    async def turn(self) -> None:
        """Write down what came back, then send whatever may go now."""
        self.wake.clear()
        await self._settle()
        await self._unblock()
        room = self.gate.room(len(self._tasks), self.limit)
        if room <= 0:
            return
        batches = await claim(
            self.db, self.profile, self._busy, room=room, ambiguous_resends=self.sender.ambiguous_resends
        )
        for batch in batches:
            ids = {row.id for row in batch.rows}
            self._busy |= ids
            task = asyncio.create_task(self._send(batch, ids))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def pause(self) -> float:
        """Seconds until the next look, unless woken."""
        return min(POLL, self.gate.wait() or POLL)

    async def finish(self) -> None:
        """Let what is out come back, and write it down."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE)
        await self._settle()

    async def _settle(self) -> None:
        """Answers are let go only when they are written down."""
        answers = list(self._answers)
        if not answers:
            return
        self._made |= await self.sender.settle(answers)
        del self._answers[: len(answers)]
        for answer in answers:
            self._busy -= {row.id for row in answer.batch.rows}

    async def _unblock(self) -> None:
        now = time.monotonic()
        if self.look_at_needs or now - self._looked_at > UNBLOCK_EVERY:
            self.look_at_needs, self._looked_at = False, now
            self._made.clear()
            await unblock(self.db, self.profile)
        elif self._made:
            made, self._made = self._made, set()
            await unblock(self.db, self.profile, made)

    async def _send(self, batch: Batch, ids: set[UUID]) -> None:
        try:
            answer = await self.sender.send(batch)
        except Exception as error:
            # The rows keep their lease and are found again as possibly sent.
            self._busy -= ids
            log.error("submission_lost_track", profile=self.profile.name, exc_info=error)
        else:
            self._answers.append(answer)
            self._hear(answer)
        finally:
            self.wake.set()

    def _hear(self, answer: Answer) -> None:
        reply = answer.reply
        if reply.meaning is Meaning.CLOSED:
            self.gate.failed(reply.code)
            log.warning("platform_closed", profile=self.profile.name, code=reply.code, text=reply.text)
        else:
            self.gate.passed()


@dataclass
class Pump:
    """All loops of the process."""

    db: Database
    mapper: Mapper
    lines: list[Line]
    sign_ins: list[SignIn] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then lets requests that are out come back."""
        loops = [
            asyncio.create_task(self._repeat("map", self._map, self.arrived, lambda: POLL)),
            asyncio.create_task(self._repeat("seal", self._seal, asyncio.Event(), lambda: POLL)),
            *(
                asyncio.create_task(self._repeat(line.profile.name, line.turn, line.wake, line.pause))
                for line in self.lines
            ),
            *(
                asyncio.create_task(
                    self._repeat("sign_in", daily.turn, asyncio.Event(), lambda: SIGN_IN_EVERY)
                )
                for daily in self.sign_ins
            ),
        ]
        await stop.wait()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await asyncio.gather(*(line.finish() for line in self.lines))
        await self._seal()

    async def _map(self) -> None:
        self.arrived.clear()
        while await self.mapper.map_batch():
            for line in self.lines:
                line.look_at_needs = True
                line.wake.set()

    async def _seal(self) -> None:
        while await seal_audit(self.db):
            pass

    async def _repeat(
        self, name: str, turn: Callable[[], Awaitable[None]], wake: asyncio.Event, pause: Callable[[], float]
    ) -> None:
        while True:
            try:
                await turn()
            except Exception as error:
                log.error("loop_failed", loop=name, exc_info=error)
                await asyncio.sleep(POLL)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause()):
                    await wake.wait()
