"""Frames from packets: in order, without waiting for ever, and never a broken one.

aiortc's jitter buffer waits for a lost packet until 512 others are in it, ten seconds of a slow video; a recording made
through it stops with the first outage. Here a hole is skipped after half a second, and then nothing is emitted before a
keyframe that starts at its start.
"""

from typing import NamedTuple

from backend.video.recording.payloads import PayloadFormat

GAP_VIDEO = 0.5
GAP_AUDIO = 0.2
MAX_FRAME = 4_000_000
"""Bytes; more is an attack or a bug, not a picture."""
RESTART = 3000
"""A jump of sequence numbers larger than this is a sender that began anew, not a hole."""


class Packet(NamedTuple):
    """As the receiver gives it: numbers unwrapped, arrival in seconds."""

    sequence: int
    timestamp: int
    marker: int
    payload: bytes
    arrival: float


class Frame(NamedTuple):
    """A whole frame in decoding order."""

    timestamp: int
    data: bytes
    key: bool
    arrival: float


class InOrder:
    """Puts packets into order; late and repeated ones disappear."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._next: int | None = None
        self._waiting: dict[int, Packet] = {}
        self._jumped = False
        self.late = self.skipped = 0

    def push(self, packet: Packet) -> None:
        """Take one packet."""
        following = self._next
        if following is None:
            self._next = packet.sequence
        elif packet.sequence < following - RESTART or packet.sequence > following + RESTART:
            self._waiting.clear()
            self._next = packet.sequence
            self._jumped = True
        elif packet.sequence < following:
            self.late += 1
            return
        self._waiting.setdefault(packet.sequence, packet)

    def pop(self, now: float) -> tuple[Packet | None, bool]:
        """The next packet and whether something was skipped before it; (None, False) when it must still be waited for."""
        if self._next is None:
            return None, False
        packet = self._waiting.pop(self._next, None)
        if packet is not None:
            self._next += 1
            jumped, self._jumped = self._jumped, False
            return packet, jumped
        if not self._waiting:
            return None, False
        first = min(self._waiting)
        if now - self._waiting[first].arrival < self._patience:
            return None, False
        self.skipped += first - self._next
        self._next = first + 1
        return self._waiting.pop(first), True


class VideoAssembler:
    """Video frames. Give it packets, ask for frames; it says when it needs a keyframe to go on."""

    def __init__(self, form: PayloadFormat, patience: float = GAP_VIDEO) -> None:
        self._form = form
        self._order = InOrder(patience)
        self._parts: list[bytes] = []
        self._timestamp: int | None = None
        self._whole = self._key = False
        self._size = 0
        self.needs_keyframe = True
        self.broken = 0

    def push(self, packet: Packet) -> None:
        """Take one packet."""
        self._order.push(packet)

    def pop(self, now: float) -> list[Frame]:
        """Frames that are whole by now."""
        frames: list[Frame] = []
        while True:
            packet, skipped = self._order.pop(now)
            if packet is None:
                return frames
            if skipped:
                self._drop()
                self.needs_keyframe = True
            self._take(packet, frames)

    def _take(self, packet: Packet, frames: list[Frame]) -> None:
        if not packet.payload:  # padding that probes the way's capacity
            return
        try:
            part = self._form.part(packet.payload)
        except (ValueError, IndexError):
            self._drop()
            self.needs_keyframe = True
            return
        if packet.timestamp != self._timestamp:
            self._emit(frames, packet.arrival)  # the last packet of the frame before had no marker
            self._timestamp = packet.timestamp
            self._whole = part.starts
        if self._whole:
            self._parts.append(part.data)
            self._size += len(part.data)
            self._key = self._key or part.key
            if (
                self._size > MAX_FRAME
            ):  # also on its last packet: what follows builds on a picture that is not there
                self._drop()
                self.broken += 1
                self.needs_keyframe = True
        if packet.marker:
            self._emit(frames, packet.arrival)

    def _emit(self, frames: list[Frame], arrival: float) -> None:
        timestamp = self._timestamp
        if timestamp is None:
            return
        if not self._whole or not self._parts:
            self.broken += 1
            self.needs_keyframe = True
        elif self._key or not self.needs_keyframe:
            self.needs_keyframe = False
            frames.append(Frame(timestamp, b"".join(self._parts), self._key, arrival))
        self._drop()

    def _drop(self) -> None:
        """Forget the frame that is being put together."""
        self._parts = []
        self._timestamp = None
        self._whole = self._key = False
        self._size = 0


class AudioAssembler:
    """Opus: every packet is a frame."""

    needs_keyframe = False

    def __init__(self, patience: float = GAP_AUDIO) -> None:
        self._order = InOrder(patience)

    def push(self, packet: Packet) -> None:
        """Take one packet."""
        self._order.push(packet)

    def pop(self, now: float) -> list[Frame]:
        """Frames in order."""
        frames: list[Frame] = []
        while True:
            packet, _ = self._order.pop(now)
            if packet is None:
                return frames
            if packet.payload:
                frames.append(Frame(packet.timestamp, packet.payload, True, packet.arrival))
