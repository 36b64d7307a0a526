"""Numbers of sessions and logins. Pure."""

from datetime import datetime, timedelta

PATIENT_LIFE = timedelta(days=30)
STAFF_LIFE = timedelta(hours=12)
STAFF_IDLE = timedelta(minutes=30)
TOUCH_EVERY = timedelta(minutes=1)
FAILURES_ALLOWED = 5
LOCK_TIME = timedelta(minutes=15)


def ended(role: str, *, now: datetime, expires_at: datetime, seen_at: datetime, revoked: bool) -> bool:
    """Whether a session is over: revoked, too old, or a member of staff left it alone for half an hour."""
    return revoked or now >= expires_at or (role != "patient" and now - seen_at >= STAFF_IDLE)
