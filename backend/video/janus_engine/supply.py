"""Packets of one connection from the files that Janus writes into memory."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from backend.video.janus_engine.mjr import MjrReader, NotARecording
from backend.video.recording.assembler import Packet
from backend.video.recording.recorder import Recorder
from backend.video.recording.timeline import Source
from backend.video.recording.timestamps import Unwrapper
from backend.video.rtp import HEADER, HEADER_SIZE, MARKER, payload_bounds
from foundation.logs import log

EVERY = 0.05
CLOCK_RATES = {"audio": 48000, "video": 90000}


class _Stream:
    """One SSRC of one file."""

    def __init__(self, kind: str, ssrc: int) -> None:
        self.source = Source(kind, ssrc, CLOCK_RATES[kind])
        self.sequence = Unwrapper(16)
        self.timestamp = Unwrapper(32)


class Supply:
    """A `recording.recorder.Supply`: `<base>-audio-0.mjr` and `<base>-video-1.mjr`. `stopped` tells Janus to write no more."""

    def __init__(
        self, base: Path, ask_keyframe: Callable[[], None], stopped: Callable[[], Awaitable[None]]
    ) -> None:
        self._readers = {
            kind: MjrReader(base.with_name(f"{base.name}-{kind}-{line}.mjr"))
            for line, kind in enumerate(("audio", "video"))
        }
        self._streams: dict[str, _Stream] = {}
        self._ask_keyframe = ask_keyframe
        self._stopped = stopped
        self._recorder: Recorder | None = None
        self._reading: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self.packets = self.bytes = 0

    def start(self, recorder: Recorder) -> None:
        """Read from now on."""
        self._recorder = recorder
        self._reading = asyncio.create_task(self._read_on())

    async def stop(self) -> None:
        """The last packets; the files are gone afterwards."""
        if self._reading is not None:
            self._reading.cancel()
        try:
            await self._stopped()
        finally:
            self._read()
            for reader in self._readers.values():
                reader.close()

    def request_keyframe(self) -> None:
        """Through Janus."""
        self._ask_keyframe()

    def incomplete(self) -> bool:
        """Janus asks for lost packets itself and does not say so."""
        return False

    async def _read_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._read()

    def _read(self) -> None:
        # house: clock: Janus stamps packets with the machine's own time
        since = self._loop.time() - time.time()
        for kind, reader in self._readers.items():
            try:
                for arrived, packet in reader.packets():
                    self._take(kind, packet, arrived + since)
            except (NotARecording, OSError, ValueError) as error:
                log.error("janus_recording_unreadable", problem=f"{type(error).__name__}: {error}")

    def _take(self, kind: str, packet: bytes, arrival: float) -> None:
        if len(packet) < HEADER_SIZE or self._recorder is None:
            return
        _, second, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
        stream = self._streams.get(kind)
        if stream is None or stream.source.ssrc != ssrc:
            stream = self._streams[kind] = _Stream(kind, ssrc)
        start, end = payload_bounds(packet)
        self.packets += 1
        self.bytes += end - start
        taken = Packet(
            stream.sequence(sequence),
            stream.timestamp(timestamp),
            second & MARKER,
            packet[start:end],
            arrival,
        )
        self._recorder.take((stream.source, taken))
