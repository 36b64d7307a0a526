"""Age and sex of a Shanghai suburb: many working adults from elsewhere, many old people, few children."""

from bisect import bisect
from datetime import date, timedelta
from itertools import accumulate
from random import Random

# per mille of each five-year band, 0-4, 5-9 … 95-99
_BANDS = (32, 42, 36, 33, 58, 80, 101, 96, 80, 74, 80, 78, 66, 60, 42, 23, 12, 5, 1.5, 0.3)
_EDGES = list(accumulate(_BANDS))


def draw(random: Random, today: date) -> tuple[date, str]:
    """Birth date and sex."""
    band = bisect(_EDGES, random.random() * _EDGES[-1])
    days = int((band * 5 + random.random() * 5) * 365.2425)
    men = 0.515 if band < 12 else max(0.33, 0.49 - 0.025 * (band - 12))
    return today - timedelta(days=days), "1" if random.random() < men else "2"


def age_on(birth_date: date, day: date) -> int:
    """Completed years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def born_years_ago(years: int, today: date, days_more: int = 100) -> date:
    """A birth date of somebody who is `years` old today, `days_more` days after the birthday."""
    day = today - timedelta(days=days_more)
    return day.replace(year=day.year - years, day=min(day.day, 28))
