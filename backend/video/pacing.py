"""How a way through the network is measured without filling it up: pieces are given, answers are timed. Pure.

A slow network shall not be stuffed with what a fast one would take, or the check would last far longer than people wait:
pieces under way become more only while their answers come back quickly.
"""

from collections import deque
from itertools import combinations

PIECE = 4096
PIECES = 64
"""At most so many in one direction: 256 KB, five of a phone's photographs shrunk for chat."""
FIRST = 2
PATIENCE = 0.4
"""Seconds that pieces may queue on top of the round trip before no more are sent at once."""
SPAN = 0.8
"""The best stretch of this length counts: the slow start of a connection says nothing about a call."""


class Pace:
    """One direction: how many pieces are due, and which bitrate their answers show."""

    def __init__(self, now: float, round_trip: float) -> None:
        self._patience = round_trip + PATIENCE
        self._window = FIRST
        self._given = 0
        self._under_way: deque[float] = deque()
        self._arrivals = [(now, 0)]

    @property
    def done(self) -> bool:
        """Everything came back."""
        return len(self._arrivals) > PIECES

    @property
    def under_way(self) -> int:
        """Pieces that were given and not answered."""
        return len(self._under_way)

    def due(self, now: float) -> int:
        """Pieces to give now."""
        count = min(self._window - len(self._under_way), PIECES - self._given)
        self._given += count
        self._under_way.extend([now] * count)
        return count

    def arrived(self, now: float) -> None:
        """One piece was answered."""
        waited = now - self._under_way.popleft()
        self._arrivals.append((now, self._arrivals[-1][1] + PIECE))
        if waited <= self._patience:
            self._window += 1

    def bitrate(self, now: float) -> int:
        """Bit/s of the best stretch up to now; what was quicker than a stretch counts as a whole."""
        points = [*self._arrivals, (now, self._arrivals[-1][1])]
        rates = [
            (after - before) / (end - start)
            for (start, before), (end, after) in combinations(points, 2)
            if end - start >= SPAN
        ]
        if not rates:
            (start, _), (end, total) = points[0], points[-1]
            rates = [total / max(end - start, 0.001)]
        return int(max(rates) * 8)
