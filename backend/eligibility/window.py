"""One month, said once: the same day of the next month or its last one, inclusive, Shanghai calendar days. Pure."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta


def add_months(day: date, months: int) -> date:
    """The same day `months` later, clamped to the month's end: 31 January + 1 = 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Window:
    """Calendar months, or days; exactly one of them is set."""

    months: int = 0
    days: int = 0

    def last(self, day: date) -> date:
        """The last day, inclusive, on which a visit of `day` counts."""
        return add_months(day, self.months) if self.months else day + timedelta(days=self.days)

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.months} 个月" if self.months else f"{self.days} 天"
