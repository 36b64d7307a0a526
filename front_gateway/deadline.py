"""The time a whole call may take; every request it makes shares it."""

from time import monotonic


class Deadline:
    """Runs from the moment it is made."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - monotonic())
