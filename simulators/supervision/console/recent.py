"""What several open boards ask for at once is made once, and given to all of them for a moment."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

KEPT = 100
"""Scopes; who narrows her board to another is served all the same."""


class Recent:
    """`seconds` 0: always anew. Who asks while it is being made waits for it."""

    def __init__(self, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._seconds, self._now = seconds, now
        self._lock = Lock()
        self._made: dict[str, tuple[float, Any]] = {}

    def get(self, key: str, make: Callable[[], Any]) -> Any:
        if self._seconds <= 0:
            return make()
        with self._lock:
            found = self._made.get(key)
            if found is not None and self._now() - found[0] < self._seconds:
                return found[1]
            value = make()
            self._made = {
                one: made for one, made in self._made.items() if self._now() - made[0] < self._seconds
            }
            if len(self._made) < KEPT:
                self._made[key] = (self._now(), value)
            return value
