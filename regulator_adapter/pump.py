"""Keeps everything moving: maps what arrived, sends what is due, seals the audit trail. Driven by the database.

Wake-ups only save time: each loop also looks by itself once a second, so that nothing depends on them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.sealer import seal_audit
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.logs import log
from regulator_adapter.claims import Batch, claim, unblock
from regulator_adapter.dropping import drop_contents
from regulator_adapter.gate import Gate
from regulator_adapter.mapper import Mapper
from regulator_adapter.profiles import Profile
from regulator_adapter.replies import Meaning
from regulator_adapter.sign_in import SignIn
from regulator_adapter.stranded import park_stranded
from regulator_adapter.submit import AHEAD, Answer, Sender

POLL = 1.0
UNBLOCK_EVERY = 15.0
GOODBYE = 10.0
GATHER, GATHER_AHEAD = 0.005, 0.02
SIGN_IN_EVERY = 10.0
DROP_EVERY = 1800.0
STRANDED_EVERY = 15.0


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
    _look: frozenset[UUID] = frozenset()
    _looked_at: float = 0.0
    _leaving: bool = False
    _wire: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._wire = asyncio.Semaphore(self.limit)

    @property
    def most(self) -> int:
        """Lists that may be written down as going: long ones had better wait and grow longer."""
        return self.limit * (AHEAD if self.profile.usual_batch == 1 else 1)

    async def turn(self) -> None:
        """Write down what came back and choose whatever may go now, in one transaction; then send it."""
        if len(self._tasks) > len(self._answers):
            # More is about to come back than came: a moment's patience saves a transaction for each.
            await asyncio.sleep(GATHER_AHEAD if len(self._tasks) > self.limit else GATHER)
        self.wake.clear()
        answers, look = list(self._answers), self._look
        settled = {row.id for answer in answers for row in answer.batch.rows}
        room, trial = self.gate.room(len(self._tasks), self.most), self.gate.failures > 0
        batches: list[Batch] = []
        async with unit_of_work(self.db) as session:
            made = await self.sender.settle(session, answers) if answers else set[str]()
            await self._unblock(session, made, look)
            if room > 0:
                batches = await claim(
                    session, self.profile, self._busy - settled, room=room,
                    ambiguous_resends=self.sender.ambiguous_resends, lease=self.sender.lease,
                )  # fmt: skip
        # Only what is written down is let go.
        del self._answers[: len(answers)]
        self._busy -= settled
        self._look = self._look - look
        for batch in batches:
            ids = {row.id for row in batch.rows}
            self._busy |= ids
            task = asyncio.create_task(self._send(batch, ids, trial=trial))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def look(self, ids: Collection[UUID]) -> None:
        """These rows have just been mapped, and what they need may have been accepted in the meantime."""
        self._look = self._look.union(ids)
        self.wake.set()

    def pause(self) -> float:
        """Seconds until the next look, unless woken."""
        return min(POLL, self.gate.wait() or POLL)

    async def finish(self) -> None:
        """Let what is out come back, and write it down."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE)
        await self._settle()

    async def leave(self) -> None:
        """The same at the end: what has not gone yet goes back in line."""
        self._leaving = True
        await self.finish()

    async def _settle(self) -> None:
        """Without sending anything more."""
        answers = list(self._answers)
        if not answers:
            return
        async with unit_of_work(self.db) as session:
            await self.sender.settle(session, answers)
        self.look_at_needs = True
        del self._answers[: len(answers)]
        for answer in answers:
            self._busy -= {row.id for row in answer.batch.rows}

    async def _unblock(self, session: AsyncSession, made: Collection[str], look: Collection[UUID]) -> None:
        if not self.needy:
            return
        now = time.monotonic()
        if self.look_at_needs or now - self._looked_at > UNBLOCK_EVERY:
            self.look_at_needs, self._looked_at = False, now
            await unblock(session, self.profile)
            return
        if made:
            await unblock(session, self.profile, made=made)
        if look:
            await unblock(session, self.profile, ids=look)

    @property
    def needy(self) -> bool:
        """Whether any record there waits for another."""
        return any(method.needs for method in self.profile.methods.values())

    async def _send(self, batch: Batch, ids: set[UUID], *, trial: bool) -> None:
        try:
            async with self._wire:
                held = self._leaving or (self.gate.failures > 0 and not trial)
                answer = self.sender.hold_back(batch) if held else await self.sender.send(batch)
        except Exception as error:
            # The rows keep their lease and are found again as possibly sent.
            self._busy -= ids
            log.error("submission_lost_track", profile=self.profile.name, exc_info=error)
        else:
            self._answers.append(answer)
            if not held:
                self._hear(answer, trial=trial)
        finally:
            self.wake.set()

    def _hear(self, answer: Answer, *, trial: bool) -> None:
        """Several that fail together are one failure: only the next trial says that it still lasts."""
        reply = answer.reply
        if reply.meaning is Meaning.CLOSED:
            if trial or not self.gate.failures:
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
    carried: asyncio.Event = field(default_factory=asyncio.Event)
    _grown: int = 0
    _learn_at: int = 500

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then lets requests that are out come back."""
        loops = [
            asyncio.create_task(self._repeat("map", self._map, self.arrived, lambda: POLL)),
            asyncio.create_task(self._repeat("seal", self._seal, asyncio.Event(), lambda: POLL)),
            asyncio.create_task(
                self._repeat("park", self.park_stranded, self.carried, lambda: STRANDED_EVERY)
            ),
            asyncio.create_task(self._repeat("drop", self._drop, asyncio.Event(), lambda: DROP_EVERY)),
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
        await asyncio.gather(*(line.leave() for line in self.lines))
        await self._seal()

    async def _map(self) -> None:
        self.arrived.clear()
        while mapped := await self.mapper.map_batch():
            await self._learn(mapped)
            blocked = self.mapper.take_blocked()
            for line in self.lines:
                line.look(blocked.get(line.profile.name, ()))

    async def _learn(self, mapped: int) -> None:
        """Tell the planner that the tables have grown: what it remembers of an empty one is worth nothing."""
        self._grown += mapped
        if self._grown < self._learn_at:
            return
        self._learn_at *= 4
        async with unit_of_work(self.db) as session:
            await session.execute(text("ANALYZE submission, received_event"))

    async def park_stranded(self) -> None:
        """Give people what can never go by itself, and what hangs on that in turn."""
        self.carried.clear()
        for line in self.lines:
            while line.needy and await park_stranded(self.db, line.profile):
                pass

    async def _drop(self) -> None:
        while await drop_contents(self.db):
            pass

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
