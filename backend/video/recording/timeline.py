"""Presentation times of a recording: milliseconds since its origin, for audio and video alike.

When a packet arrives says little: a keyframe comes as a burst, a busy machine looks late. So a source is placed by the
least delay of its packets of late, and as soon as both kinds have a sender report (RFC 3550, 6.4.1) their distance from
each other is the sender's own, which keeps lips and voice together. Corrections are made in steps nobody hears.
"""

from collections import deque
from typing import NamedTuple

DRIFT = 10.0
"""A media clock this many seconds away from the wall's has been restarted by its owner; the recording follows the wall."""
SAME_CLOCK = 2.0
"""Reports of two kinds that differ by more seconds than this are not of one clock and are not compared."""
SLEW = 0.06
"""Seconds per second by which a source is moved towards its right place; the same for both kinds, so that they move together."""
WINDOW = 10


class Source(NamedTuple):
    """Where packets come from: kind of media, SSRC, ticks per second."""

    kind: str
    ssrc: int
    clock_rate: int


class _Track:
    """One source. Offsets are seconds between its media clock, which is ticks over rate, and another clock."""

    def __init__(self, source: Source, last: int) -> None:
        self.source = source
        self.rate = source.clock_rate
        self.last = last
        self.placed: float | None = None
        self.placed_timestamp = 0
        self.reported: float | None = None
        self._least: deque[list[float]] = deque(maxlen=WINDOW)

    def note(self, timestamp: int, arrival: float) -> None:
        """A packet arrived."""
        offset, second = arrival - timestamp / self.rate, arrival // 1
        if self._least and abs(offset - self._least[-1][1]) > DRIFT:
            self._least.clear()
            self.reported = None
        if self._least and self._least[-1][0] >= second:
            self._least[-1][1] = min(self._least[-1][1], offset)
        else:
            self._least.append([second, offset])

    @property
    def arrived(self) -> float | None:
        """The offset to our clock, by the packets that were delayed least."""
        return min(least for _, least in self._least) if self._least else None


class Timeline:
    """Each kind runs on its own media clock; a new source is placed anew."""

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._tracks: dict[str, _Track] = {}

    def packet(self, source: Source, timestamp: int, arrival: float) -> None:
        """A packet arrived: `timestamp` is unwrapped, `arrival` in seconds of our clock."""
        self._track(source).note(timestamp, arrival)

    def report(self, source: Source, sender_time: float, timestamp: int) -> None:
        """The sender says that its clock showed `sender_time` seconds at `timestamp`."""
        self._track(source).reported = sender_time - timestamp / source.clock_rate

    def begin_anew(self, origin: float) -> None:
        """Another file: times count from `origin`, what is known of the clocks stays."""
        self._origin = origin
        for track in self._tracks.values():
            track.last = -1

    def place(self, source: Source, timestamp: int, arrival: float) -> int:
        """Milliseconds of a frame, never negative, strictly increasing per kind."""
        track = self._track(source)
        if track.arrived is None:
            track.note(timestamp, arrival)
        wanted = self._wanted(track)
        if track.placed is None or abs(wanted - track.placed) > DRIFT:
            track.placed = wanted
        else:
            most = abs(timestamp - track.placed_timestamp) / track.rate * SLEW
            track.placed += max(-most, min(most, wanted - track.placed))
        track.placed_timestamp = timestamp
        place = round((track.placed + timestamp / track.rate - self._origin) * 1000)
        track.last = max(place, track.last + 1, 0)
        return track.last

    def _track(self, source: Source) -> _Track:
        track = self._tracks.get(source.kind)
        if track is None or track.source != source:
            track = self._tracks[source.kind] = _Track(source, track.last if track else -1)
        return track

    def _wanted(self, track: _Track) -> float:
        """The offset that the frame should have."""
        arrived = track.arrived
        assert arrived is not None
        if track.reported is None:
            return arrived
        clocks = [
            other.arrived - other.reported
            for other in self._tracks.values()
            if other.arrived is not None and other.reported is not None
        ]
        if len(clocks) < len(self._tracks) or max(clocks) - min(clocks) > SAME_CLOCK:
            return arrived
        return min(clocks) + track.reported
