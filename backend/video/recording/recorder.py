"""The recording of one connection, as the event loop sees it: take packets, pass batches on, close once and for good.

In the loop a packet costs one list entry. Assembling, muxing, encrypting and the disk happen in one writer thread of the
process, a batch at a time. When the disk cannot keep up, batches are dropped, counted and told; the call is never held up.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from backend.video.recording.segments import Outcome, Segments, Taken
from foundation.logs import log

BATCH = 0.25
MAX_WAITING = 6000
"""Packets of one connection that may wait for the disk, about 20 seconds; then they are dropped."""
KEYFRAME_EVERY = 1.0
LINGER = 0.5
"""Seconds that an end waits for lost packets that are on their way again, so that picture and voice end together."""
LINGER_STEP = 0.02

OnOutcome = Callable[[Outcome], None]


class Supply(Protocol):
    """Where the packets of one connection come from: calls `Recorder.take` between `start` and `stop`."""

    def start(self, recorder: "Recorder") -> None:
        """Begin to hand packets over."""

    async def stop(self) -> None:
        """Hand over the last packets, and no more."""

    def request_keyframe(self) -> None:
        """A picture that needs no other is wanted."""

    def incomplete(self) -> bool:
        """Whether packets are missing that may still come."""


class Recorder:
    """Records what `supply` brings until `close`. `on_outcome` hears of every segment, in the loop."""

    def __init__(
        self, segments: Segments, writer: ThreadPoolExecutor, supply: Supply, on_outcome: OnOutcome
    ) -> None:
        self._segments = segments
        self._writer = writer
        self._supply = supply
        self._on_outcome = on_outcome
        self._pending: list[Taken] = []
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self._ended = False
        self._asked_at = 0.0
        self.dropped = 0
        self._loop = asyncio.get_running_loop()
        supply.start(self)

    def take(self, taken: Taken) -> None:
        """One packet or report. After the end nothing is taken: packets still arrive while the connection closes."""
        if self._ended:
            return
        if len(self._pending) >= MAX_WAITING:
            self.dropped += 1
            return
        self._pending.append(taken)
        if self._timer is None:
            self._timer = self._loop.call_later(BATCH, self._pass_on)

    async def close(self, reason: str) -> None:
        """Detach, write the rest, close the file. The second call waits for the first; a cancelled caller stops nothing."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._end(reason))
        await asyncio.shield(self._closing)

    async def _end(self, reason: str) -> None:
        try:
            await self._linger()
            await self._supply.stop()
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()
            if self._writing is not None:
                await self._writing
            batch, self._pending = self._pending, []
            now = self._loop.time()
            self._tell(await self._loop.run_in_executor(self._writer, self._segments.end, batch, now, reason))
        except Exception as error:  # an alarm, not a reason to leave the room open
            log.error("recording_close_failed", exc_info=error)
            self._on_outcome(Outcome(problem=f"{type(error).__name__}: {error}"))

    async def _linger(self) -> None:
        for _ in range(round(LINGER / LINGER_STEP)):
            if not self._supply.incomplete():
                return
            await asyncio.sleep(LINGER_STEP)

    def _pass_on(self) -> None:
        self._timer = None
        if self._writing is None and self._pending:
            batch, self._pending = self._pending, []
            self._writing = asyncio.create_task(self._write(batch))

    async def _write(self, batch: list[Taken]) -> None:
        try:
            now = self._loop.time()
            self._tell(await self._loop.run_in_executor(self._writer, self._segments.write, batch, now))
        except Exception as error:
            log.error("recording_failed", exc_info=error)
            self._on_outcome(Outcome(problem=f"{type(error).__name__}: {error}"))
        finally:
            self._writing = None
            if self._pending and self._timer is None and not self._ended:
                self._timer = self._loop.call_later(BATCH, self._pass_on)

    def _tell(self, outcome: Outcome) -> None:
        if (
            outcome.wants_keyframe
            and self._closing is None
            and self._loop.time() - self._asked_at >= KEYFRAME_EVERY
        ):
            self._asked_at = self._loop.time()
            self._supply.request_keyframe()
        if self.dropped and not outcome.problem:
            outcome.problem = f"{self.dropped} packets were dropped, the disk is too slow"
            self.dropped = 0
        if outcome.opened or outcome.closed or outcome.problem:
            self._on_outcome(outcome)
