"""A circuit breaker: after several failures in a row nobody waits for a target that does not answer."""

from collections.abc import Callable
from time import monotonic


class Breaker:
    """Closed → open after `threshold` failures in a row; `open_seconds` later one call may try (half-open)."""

    def __init__(
        self, threshold: int = 5, open_seconds: float = 5.0, now: Callable[[], float] = monotonic
    ) -> None:
        self._threshold = threshold
        self._open_seconds = open_seconds
        self._now = now
        self._failures = 0
        self._opened_at: float | None = None
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused or only one may try."""
        return self._opened_at is not None

    def admit(self) -> bool:
        """Whether a call may go out now; True obliges the caller to report `succeeded`, `failed` or `abandoned`."""
        if self._opened_at is None:
            return True
        if self._trying or self._now() - self._opened_at < self._open_seconds:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """The target answered."""
        self._failures = 0
        self._opened_at = None
        self._trying = False

    def failed(self) -> None:
        """It did not."""
        self._failures += 1
        if self._failures >= self._threshold or self._trying:
            self._opened_at = self._now()
        self._trying = False

    def abandoned(self) -> None:
        """The call ended for a reason that says nothing about the target."""
        self._trying = False

    def retry_after(self) -> int:
        """Whole seconds until somebody may try again, at least 1."""
        if self._opened_at is None:
            return 1
        return max(1, round(self._open_seconds - (self._now() - self._opened_at)))
