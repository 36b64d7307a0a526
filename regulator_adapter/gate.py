"""Pauses a whole platform while nothing gets through, so that an outage costs one request at a time and not one per row."""

from collections.abc import Callable
from dataclasses import dataclass, field

LONGEST = 30.0


@dataclass
class Gate:
    """Open, or closed for 1, 2, 4 … 30 seconds after a failure; then one request may try. `monotonic` gives seconds."""

    monotonic: Callable[[], float]
    failures: int = 0
    reason: str = ""
    _until: float = field(default=0.0)

    def room(self, in_flight: int, limit: int) -> int:
        """How many more requests may start while `in_flight` are out."""
        if not self.failures:
            return limit - in_flight
        return 0 if self.monotonic() < self._until else 1 - in_flight

    def wait(self) -> float:
        """Seconds until the next try; 0 when it may be now."""
        return max(0.0, self._until - self.monotonic()) if self.failures else 0.0

    def failed(self, reason: str) -> None:
        """Nothing got through."""
        self.failures += 1
        self.reason = reason
        self._until = self.monotonic() + min(2.0 ** (self.failures - 1), LONGEST)

    def passed(self) -> None:
        """The platform answered."""
        self.failures, self.reason = 0, ""
