"""The only place where the mock asks the machine for the time, and WeChat's ways of writing it."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class Clock:
    """The machine's clock plus an offset that a test may set."""

    def __init__(self, offset_seconds: float = 0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> float:
        """Seconds since 1970, as everything is stored."""
        return time.time() + self.offset_seconds

    def local(self) -> datetime:
        """Aware, Asia/Shanghai: WeChat's days are Chinese days."""
        return local(self.now())


def machine_now() -> datetime:
    """Aware, UTC, never moved: certificates live by it, as TLS does."""
    return datetime.now(UTC)


def local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI)


def rfc3339(seconds: float) -> str:
    """`2026-11-22T08:00:00+08:00`."""
    return local(seconds).isoformat(timespec="seconds")


def minute(seconds: float) -> str:
    """`11月22日 08:00`, as on a phone."""
    return f"{local(seconds):%-m月%-d日 %H:%M}"
