"""The recording of one connection, as the event loop sees it: take packets, pass batches on, close once and for good.

In the loop a packet costs one list entry. Assembling, muxing, encrypting and the disk happen in one writer thread of the
process, a batch at a time. When the disk cannot keep up, batches are dropped, counted and told; the call is never held up.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from backend.video.aiortc_engine.assembler import Packet
from backend.video.aiortc_engine.receiver import Stream, UplinkReceiver
from backend.video.aiortc_engine.segments import Outcome, Segments, Source, Taken
from foundation.logs import log

BATCH = 0.25
MAX_WAITING = 6000
"""Packets of one connection that may wait for the disk, about 20 seconds; then they are dropped."""
KEYFRAME_EVERY = 1.0

OnOutcome = Callable[[Outcome], None]


class Recorder:
    """Records what two uplinks bring until `close`. `on_outcome` hears of every segment, in the loop."""

    def __init__(
        self,
        segments: Segments,
        writer: ThreadPoolExecutor,
        uplinks: dict[str, UplinkReceiver],
        on_outcome: OnOutcome,
    ) -> None:
        self._segments = segments
        self._writer = writer
        self._uplinks = uplinks
        self._on_outcome = on_outcome
        self._pending: list[Taken] = []
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self._asked_at = 0.0
        self._taps = {kind: _Tap(kind, self) for kind in uplinks}
        self.dropped = 0
        self._loop = asyncio.get_running_loop()
        for kind, uplink in uplinks.items():
            uplink.sinks = (*uplink.sinks, self._taps[kind])

    def take(self, taken: Taken) -> None:
        """One packet. After `close` nothing is taken: packets still arrive while the connection ends."""
        if self._closing is not None:
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
            for kind, uplink in self._uplinks.items():
                uplink.sinks = tuple(sink for sink in uplink.sinks if sink is not self._taps[kind])
            if self._timer is not None:
                self._timer.cancel()
            self._closing = asyncio.create_task(self._end(reason))
        await asyncio.shield(self._closing)

    async def _end(self, reason: str) -> None:
        try:
            if self._writing is not None:
                await self._writing
            batch, self._pending = self._pending, []
            now = self._loop.time()
            self._tell(await self._loop.run_in_executor(self._writer, self._segments.end, batch, now, reason))
        except Exception as error:  # an alarm, not a reason to leave the room open
            log.error("recording_close_failed", exc_info=error)

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
        finally:
            self._writing = None
            if self._pending and self._timer is None and self._closing is None:
                self._timer = self._loop.call_later(BATCH, self._pass_on)

    def _tell(self, outcome: Outcome) -> None:
        if (
            outcome.wants_keyframe
            and self._closing is None
            and self._loop.time() - self._asked_at >= KEYFRAME_EVERY
        ):
            self._asked_at = self._loop.time()
            self._uplinks["video"].request_keyframe()
        if self.dropped and not outcome.problem:
            outcome.problem = f"{self.dropped} packets were dropped, the disk is too slow"
            self.dropped = 0
        if outcome.opened or outcome.closed or outcome.problem:
            self._on_outcome(outcome)


class _Tap:
    """A sink that cannot fail: what goes wrong in a recording must not reach the path of the packets."""

    def __init__(self, kind: str, recorder: Recorder) -> None:
        self._kind = kind
        self._take = recorder.take
        self._stream: Stream | None = None
        self._source = Source(kind, 0, 0)

    def take(
        self, stream: Stream, sequence: int, timestamp: int, marker: int, payload: bytes, now: float
    ) -> None:
        """Note the packet."""
        if stream is not self._stream:
            self._stream, self._source = stream, Source(self._kind, stream.ssrc, stream.clock_rate)
        self._take((self._source, Packet(sequence, timestamp, marker, payload, now)))
