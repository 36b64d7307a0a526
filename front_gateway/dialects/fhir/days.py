"""FHIR dateTimes as days of the hospital's calendar."""

from datetime import UTC, date, datetime

from foundation.clock import local


def day_of(text: str) -> date | None:
    """The Shanghai day of a FHIR date, dateTime or instant; None for anything less exact than a day."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local(moment).date() if len(text) > 10 and moment.tzinfo else None


def moment_of(text: str) -> datetime | None:
    """A FHIR instant in UTC; None when it is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def instant(moment: datetime) -> str:
    """A FHIR instant on a Shanghai wall clock, as a hospital would write it."""
    return local(moment).isoformat(timespec="seconds")
