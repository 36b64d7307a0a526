"""Asking a publisher for a keyframe, not more often than it helps."""

import asyncio
from collections.abc import Callable

INTERVAL = 0.3


class KeyframeRequests:
    """At most one request per 300 ms, whoever asks; the last wish within the interval is kept, not lost."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._sent_at = -INTERVAL
        self._later: asyncio.TimerHandle | None = None
        self.asked = 0

    def request(self) -> None:
        """Ask now, or at the end of the interval."""
        if self._later is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._sent_at + INTERVAL - loop.time()
        if wait <= 0:
            self._now()
        else:
            self._later = loop.call_later(wait, self._now)

    def close(self) -> None:
        """No more requests."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _now(self) -> None:
        self._later = None
        self._sent_at = asyncio.get_running_loop().time()
        self.asked += 1
        self._send()
