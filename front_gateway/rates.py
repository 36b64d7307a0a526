"""How often and how many at once: a token bucket and a counter for each line and caller."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from foundation.errors import Busy, TooMany


class TokenBucket:
    """`per_second` tokens flow in, up to `burst`; each call takes one."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float] = monotonic) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._now = now
        self._tokens = self._burst
        self._at = now()

    def take(self) -> None:
        """`TooMany` with the seconds to wait when the bucket is empty."""
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            wait = math.ceil((1 - self._tokens) / self._per_second)
            raise TooMany("调用过于频繁，请稍后再试", retry_after=max(wait, 1))
        self._tokens -= 1


class Limits:
    """Bucket and counter of one line for one caller."""

    def __init__(self, bucket: TokenBucket, at_once: int) -> None:
        self._bucket = bucket
        self._at_once = at_once
        self._running = 0

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Room for one call; `TooMany` or `Busy` when there is none."""
        if self._running >= self._at_once:
            raise Busy("同时进行的调用过多，请稍后再试", retry_after=1)
        self._bucket.take()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
