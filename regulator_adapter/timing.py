"""When a record may go: at once, or T+1 in the night after the day it happened."""

from datetime import datetime, timedelta

from foundation.clock import local, local_day_start
from regulator_adapter.profiles import Profile
from regulator_adapter.settings import Timing


def due_at(profile: Profile, method: str, occurred_at: datetime, now: datetime, timing: Timing) -> datetime:
    """The first instant at which the record may be sent; in the past for days that are caught up."""
    if timing is Timing.IMMEDIATE or profile.next_day is None or profile.methods[method].at_once:
        return now
    tomorrow = local(occurred_at).date() + timedelta(days=1)
    hour, minute = profile.next_day.hour, profile.next_day.minute
    return local_day_start(tomorrow) + timedelta(hours=hour, minutes=minute)


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 … seconds, ten minutes at most."""
    return timedelta(seconds=min(2 ** max(attempts - 1, 0), 600) if attempts < 12 else 600)
