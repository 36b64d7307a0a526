"""Validity of a prescription. Pure."""

from datetime import datetime, timedelta

from foundation.clock import local, local_day_start
from foundation.errors import Issue

DEFAULT_DAYS, MOST_DAYS = 1, 3
"""Good on the day of signing; the doctor may note up to three days (处方管理办法 第十八条)."""


def valid_until(signed_at: datetime, days: int) -> datetime:
    """Midnight in Shanghai at the end of the last day."""
    return local_day_start(local(signed_at).date() + timedelta(days=days))


def validity_issues(days: int) -> list[Issue]:
    """Days must be 1 to 3."""
    if not DEFAULT_DAYS <= days <= MOST_DAYS:
        return [Issue("valid_days", "wrong_number", f"处方有效期应为 {DEFAULT_DAYS} 到 {MOST_DAYS} 天")]
    return []


def own_prescription(prescriber: object, pharmacist: object) -> list[Issue]:
    """Nobody reviews what she wrote herself."""
    return (
        [Issue("pharmacist", "own_prescription", "不能审核自己开具的处方")]
        if prescriber == pharmacist
        else []
    )
