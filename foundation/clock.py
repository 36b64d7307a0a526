"""The only place that asks what time it is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")
"""Zone of screens and of rules about days; storage is always UTC."""


class Clock:
    """The machine's clock plus an offset that only a test may set."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    def now(self) -> datetime:
        """Current instant, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def today(self) -> date:
        """Calendar day in Asia/Shanghai."""
        return self.now().astimezone(LOCAL).date()

    def timestamp(self) -> int:
        """Unix seconds."""
        return int(self.now().timestamp())

    def shift(self, offset: timedelta) -> None:
        """Move the clock; `foundation.web.clock_switch` exposes it under ENV=test only."""
        self._offset = offset


def local(moment: datetime) -> datetime:
    """The same instant on a Shanghai wall clock."""
    return moment.astimezone(LOCAL)


def local_day_start(day: date) -> datetime:
    """Midnight in Shanghai of `day`, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL).astimezone(UTC)
