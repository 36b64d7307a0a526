"""When a line is open: a span of the wall clock and days of the week, in Asia/Shanghai."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from foundation.clock import local

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes after midnight, the end excluded. A span over midnight belongs to the day it began on."""

    begin: int
    end: int
    days: frozenset[int]

    def open_at(self, moment: datetime) -> bool:
        """Whether a call at `moment` (aware) may pass."""
        here = local(moment)
        minute, today = here.hour * 60 + here.minute, here.weekday()
        if self.begin < self.end:
            return today in self.days and self.begin <= minute < self.end
        yesterday = (here - timedelta(days=1)).weekday()
        return (today in self.days and minute >= self.begin) or (yesterday in self.days and minute < self.end)


def hours_mistakes(span: str, days: list[str]) -> list[str]:
    """One sentence for each thing that is wrong."""
    wrong = [f"day {one!r} is none of {', '.join(DAYS)}" for one in days if one not in DAYS]
    if span and (found := _minutes(span)) is None:
        wrong.append(f"hours {span!r} is no span such as 07:00-22:00")
    elif span and found and found[0] == found[1]:
        wrong.append(f"hours {span!r} is never open")
    return wrong


def hours(span: str, days: list[str]) -> Hours | None:
    """The span as numbers, None when the line is always open; `hours_mistakes` must have been empty."""
    if not span and not days:
        return None
    begin, end = (_minutes(span) if span else None) or (0, 24 * 60)
    return Hours(begin, end, frozenset(DAYS.index(one) for one in days or DAYS))


def _minutes(span: str) -> tuple[int, int] | None:
    found = _SPAN.fullmatch(span)
    if not found:
        return None
    one, two, three, four = (int(part) for part in found.groups())
    end = three * 60 + four
    return (one * 60 + two, end) if end <= 24 * 60 else None
