"""The only place where a simulator asks the machine for the time."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock:
    """The machine's clock plus an offset that a test may set."""

    def __init__(self, offset_seconds: float = 0) -> None:
        self._offset = offset_seconds

    @property
    def offset_seconds(self) -> float:
        return self._offset

    def set_offset(self, seconds: float) -> None:
        self._offset = seconds

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._offset)

    def local(self) -> datetime:
        """Aware, Asia/Shanghai."""
        return self.now().astimezone(SHANGHAI)

    def today(self) -> date:
        """The calendar day in Shanghai."""
        return self.local().date()

    def timestamp(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._offset
