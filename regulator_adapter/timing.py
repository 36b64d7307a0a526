"""When a record may go: at once, or T+1 in the night after the day it happened."""

from datetime import date, datetime, time, timedelta

from foundation.clock import local, local_day_start
from regulator_adapter.profiles import Profile
from regulator_adapter.settings import Timing


def due_at(profile: Profile, method: str, occurred_at: datetime, now: datetime, timing: Timing) -> datetime:
    """The first instant at which the record may be sent; in the past for days that are caught up."""
    at = profile.methods[method].next_day
    if timing is Timing.IMMEDIATE or at is None:
        return now
    return night_after(local(occurred_at).date(), at)


def night_after(day: date, at: time) -> datetime:
    """The time of T+1 for `day`, Shanghai."""
    return local_day_start(day + timedelta(days=1)) + timedelta(hours=at.hour, minutes=at.minute)


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 … seconds, ten minutes at most."""
    return timedelta(seconds=min(2 ** max(attempts - 1, 0), 600) if attempts < 12 else 600)
