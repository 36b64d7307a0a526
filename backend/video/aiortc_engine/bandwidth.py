"""How much video a participant may send: the least of what the way up carries, what each viewer takes, and the ceiling.

The estimate of the way up is aiortc's port of the receive-side estimator (draft-ietf-rmcat-gcc). It is fed once per burst
instead of once per packet, and with a cheaper byte counter: per packet it cost more than all of forwarding.
"""

from collections import deque

from aiortc.rate import MIN_FRAME_PERIOD_HISTORY_LENGTH, OveruseEstimator, RemoteBitrateEstimator

BURST = 0.005
"""Packets that arrive within this many seconds are one burst, as in the estimator's own grouping."""
WINDOW_MS = 1000
BUCKET_MS = 20


class ByteRate:
    """Bits per second over the last second, in buckets of 20 ms; the interface of aiortc's `RateCounter`."""

    def __init__(self) -> None:
        self._buckets: deque[list[int]] = deque()
        self._total = 0
        self._origin: int | None = None

    def add(self, value: int, now_ms: int) -> None:
        """Count `value` bytes."""
        if self._origin is None:
            self._origin = now_ms
        self._total += value
        slot = now_ms // BUCKET_MS
        if self._buckets and self._buckets[-1][0] == slot:
            self._buckets[-1][1] += value
        else:
            self._buckets.append([slot, value])

    def rate(self, now_ms: int) -> int | None:
        """The rate; None before there is anything to say."""
        oldest = (now_ms - WINDOW_MS) // BUCKET_MS
        while self._buckets and self._buckets[0][0] <= oldest:
            self._total -= self._buckets.popleft()[1]
        if self._origin is None or not self._buckets:
            return None
        window = min(now_ms - self._origin + 1, WINDOW_MS)
        return round(8000 * self._total / window) if window > 1 else None

    def reset(self) -> None:
        """Forget everything."""
        self._buckets.clear()
        self._total, self._origin = 0, None


class CheapEstimator(OveruseEstimator):
    """aiortc's, but the least of the last sixty periods is found by one call of `min` instead of sixty."""

    def __init__(self) -> None:
        super().__init__()
        self._periods: deque[float] = deque(maxlen=MIN_FRAME_PERIOD_HISTORY_LENGTH)

    def update_min_frame_period(self, ts_delta: float) -> float:
        """The least period between bursts of late, this one included."""
        self._periods.append(ts_delta)
        return min(self._periods)


class Bandwidth:
    """Decides on the REMB that goes to one participant."""

    def __init__(self, ceiling: int) -> None:
        self._estimator = RemoteBitrateEstimator()
        self._estimator.incoming_bitrate = ByteRate()  # type: ignore[assignment]
        self._estimator.estimator = CheapEstimator()
        self._ceiling = ceiling
        self._own: int | None = None
        self._viewers: dict[object, int] = {}
        self._burst_at = 0.0
        self._burst_bytes = 0
        self._burst_sent = 0
        self.allowed: int | None = None

    def add(self, sent: int, size: int, ssrc: int, now: float) -> int | None:
        """A packet with abs-send-time `sent` arrived; the new allowance when it is time to announce one."""
        if self._burst_bytes and now - self._burst_at < BURST:
            self._burst_bytes += size
            self._burst_sent = sent
            return None
        result = None
        if self._burst_bytes:
            result = self._estimator.add(
                arrival_time_ms=int(self._burst_at * 1000),
                abs_send_time=self._burst_sent,
                payload_size=self._burst_bytes,
                ssrc=ssrc,
            )
        self._burst_at, self._burst_bytes, self._burst_sent = now, size, sent
        if result is None:
            return None
        self._own = result[0]
        return self._announce()

    def viewer(self, who: object, bitrate: int) -> int | None:
        """A viewer says what it can take; the new allowance when it is lower than what was announced."""
        self._viewers[who] = bitrate
        if self.allowed is None or self._least() < self.allowed * 0.97:
            return self._announce()
        return None

    def viewer_gone(self, who: object) -> None:
        """Its limit no longer counts."""
        self._viewers.pop(who, None)

    def _least(self) -> int:
        limits = [self._ceiling, *self._viewers.values()]
        if self._own is not None:
            limits.append(self._own)
        return min(limits)

    def _announce(self) -> int:
        self.allowed = self._least()
        return self.allowed
