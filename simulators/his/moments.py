"""FHIR's dates as ranges of seconds: 2026-11 is a month, 2026-11-22 a day in Shanghai, an instant one second."""

import calendar
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from simulators.server import SHANGHAI

Span = tuple[float, float]
_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
FOREVER = float("inf")
PREFIXES = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "sa", "eb"})


@lru_cache(maxsize=4096)
def span_of(text: str) -> Span | None:
    """[from, to) in seconds since 1970; None when it is no date."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = form.groups()
    try:
        if hour is None:
            start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=SHANGHAI)
            days = (
                1
                if day
                else calendar.monthrange(start.year, start.month)[1]
                if month
                else 365 + calendar.isleap(start.year)
            )
            return start.timestamp(), (start + timedelta(days=days)).timestamp()
        start = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=_zone(zone)
        )
        low = start.timestamp() + float(fraction or 0)
    except (ValueError, OverflowError):
        return None
    return low, low + (60 if second is None else 0.001 if fraction else 1)


def _zone(text: str | None) -> Any:
    if text is None:
        return SHANGHAI
    return UTC if text == "Z" else datetime.strptime(text, "%z").tzinfo


def span_of_value(value: Any) -> Span | None:
    """Of a date, dateTime, instant or Period in a resource."""
    if isinstance(value, str):
        return span_of(value)
    if not isinstance(value, dict):
        return None
    start = span_of(str(value.get("start", "")))
    end = span_of(str(value.get("end", "")))
    if start is None and end is None:
        return None
    return (start[0] if start else -FOREVER, end[1] if end else FOREVER)


def compare(prefix: str, wanted: Span, found: Span) -> bool:
    """https://hl7.org/fhir/R4/search.html#prefix"""
    low, high = wanted
    return {
        "eq": low <= found[0] and found[1] <= high,
        "ne": not (low <= found[0] and found[1] <= high),
        "gt": found[1] > high,
        "ge": found[1] > low,
        "lt": found[0] < low,
        "le": found[0] < high,
        "sa": found[0] >= high,
        "eb": found[1] <= low,
    }[prefix]


def instant(moment: datetime) -> str:
    """A FHIR instant in Shanghai's zone."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="milliseconds")
