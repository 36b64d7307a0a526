"""Presentation times of a recording: milliseconds since its first packet, for audio and video alike."""

from dataclasses import dataclass

DRIFT = 10_000
"""A media clock this many ms away from the wall's has been restarted by its owner; the recording follows the wall."""


@dataclass
class _Anchor:
    timestamp: int
    at: float
    clock_rate: int
    source: int
    last: int = -1


class Timeline:
    """Each kind runs on its own media clock from where its first frame arrived; a new source is placed anew."""

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._anchors: dict[str, _Anchor] = {}

    def place(self, kind: str, source: int, timestamp: int, clock_rate: int, arrival: float) -> int:
        """Milliseconds of a frame: strictly increasing per kind. `timestamp` is unwrapped, `source` its SSRC."""
        on_the_wall = (arrival - self._origin) * 1000
        anchor = self._anchors.get(kind)
        if anchor is not None and anchor.source == source:
            place = (anchor.at - self._origin) * 1000 + (
                timestamp - anchor.timestamp
            ) * 1000 / anchor.clock_rate
            if abs(place - on_the_wall) > DRIFT:
                anchor = _Anchor(timestamp, arrival, clock_rate, source, anchor.last)
                place = on_the_wall
        else:
            anchor = _Anchor(timestamp, arrival, clock_rate, source, anchor.last if anchor else -1)
            place = on_the_wall
        self._anchors[kind] = anchor
        anchor.last = max(round(place), anchor.last + 1, 0)
        return anchor.last
