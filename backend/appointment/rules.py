"""Windows and quotas of booking. Pure; all numbers are configuration in time."""

from datetime import datetime, timedelta

from foundation.errors import Issue

HOLD = timedelta(minutes=10)
PER_DAY = 3
"""Places one person may hold on one day."""
CHECK_IN_EARLY = timedelta(minutes=30)


def bookable(*, ends_at: datetime, now: datetime) -> list[Issue]:
    """Why a slot cannot be booked any more."""
    return [Issue("slot_id", "slot_over", "该时段已结束")] if now >= ends_at else []


def quota_left(held_today: int) -> list[Issue]:
    """Why this person may not hold another place that day."""
    if held_today >= PER_DAY:
        return [Issue("person_id", "quota_used", f"同一就诊人每天最多预约 {PER_DAY} 次")]
    return []


def check_in_window(*, starts_at: datetime, ends_at: datetime, now: datetime) -> list[Issue]:
    """Why it is too early or too late to wait."""
    if now < starts_at - CHECK_IN_EARLY:
        return [Issue("at", "too_early", "就诊开始前 30 分钟可以候诊")]
    if now >= ends_at:
        return [Issue("at", "too_late", "就诊时段已结束")]
    return []


def cancellable_by_patient(*, starts_at: datetime, now: datetime, checked_in: bool) -> list[Issue]:
    """A patient cancels before the start, or while nobody has accepted."""
    if not checked_in and now >= starts_at:
        return [Issue("at", "too_late", "就诊时段已开始，不能自行取消，请联系医院")]
    return []
