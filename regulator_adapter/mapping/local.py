"""Times and ages as platforms write them: Asia/Shanghai."""

from datetime import date, datetime

from foundation.clock import local


def stamp(moment: datetime | None) -> str | None:
    """`2026-11-22 08:00:00`."""
    return None if moment is None else local(moment).strftime("%Y-%m-%d %H:%M:%S")


def iso(moment: datetime | None) -> str | None:
    """`2026-11-22T08:00:00.000+08:00`."""
    return None if moment is None else local(moment).isoformat(timespec="milliseconds")


def day(moment: datetime) -> date:
    """The calendar day in Shanghai."""
    return local(moment).date()


def span(begin: datetime, end: datetime) -> str:
    """`2026-11-22 08:00-08:15`."""
    return f"{local(begin):%Y-%m-%d %H:%M}-{local(end):%H:%M}"


def age(birth_date: date, on: date) -> int:
    """Whole years on a day."""
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))


def valid_days(begin: datetime, end: datetime) -> int:
    """Calendar days from one to the other, both counted; an end at midnight belongs to the day before."""
    last = day(end)
    if local(end).time().replace(microsecond=0).isoformat() == "00:00:00" and last > day(begin):
        last = date.fromordinal(last.toordinal() - 1)
    return (last - day(begin)).days + 1
