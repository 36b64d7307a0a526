"""One spelling of a moment in the store: UTC, milliseconds, sortable as text."""

from datetime import UTC, datetime

from simulators.server.clock import SHANGHAI


def utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def from_wire(value: str) -> datetime:
    """A checked time of either profile; without an offset it is Shanghai's."""
    parsed = datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=SHANGHAI)


def from_store(value: str) -> datetime:
    """Aware, Asia/Shanghai."""
    return datetime.fromisoformat(value).astimezone(SHANGHAI)


def wire_text(moment: datetime) -> str:
    """ISO 8601 with Shanghai's offset and milliseconds."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="milliseconds")
