"""Deadlines and conditions of accepting. Pure."""

from datetime import datetime, timedelta

from foundation.errors import Issue

ACCEPT_WITHIN = timedelta(minutes=30)
REMIND_AFTER = timedelta(minutes=5)
PARALLEL = 5
"""Visits a doctor may run side by side (practice.md 8)."""


def acceptance_deadline(starts_at: datetime, checked_in_at: datetime) -> datetime:
    """The clock starts at the later of slot start and check-in (practice.md 7)."""
    return max(starts_at, checked_in_at) + ACCEPT_WITHIN


def may_accept(*, confirmed: bool, checked_in: bool, running: int) -> list[Issue]:
    """What keeps a doctor from accepting."""
    issues = []
    if not confirmed:
        issues.append(Issue("follow_up_confirmed", "follow_up_not_confirmed", "请先确认患者符合复诊条件"))
    if not checked_in:
        issues.append(Issue("appointment", "not_waiting", "患者尚未开始候诊"))
    if running >= PARALLEL:
        issues.append(Issue("practitioner", "too_many_visits", f"同时接诊不能超过 {PARALLEL} 位"))
    return issues
