"""What recordings are kept for and how long, and what a look needs. Pure."""

from datetime import date, datetime
from enum import StrEnum

from foundation.clock import local
from foundation.errors import Issue

KEPT_YEARS = 3
"""互联网诊疗监管细则(试行) 2022: texts, sound and pictures of the process, three years at least."""
FILM_DAYS = 7
VIEW_MINUTES = 60
SHORTEST_REASON, LONGEST_REASON = 4, 300


class Purpose(StrEnum):
    """Why somebody looks at a recording."""

    QUALITY = "quality"
    COMPLAINT = "complaint"
    DISPUTE = "dispute"
    AUTHORITY = "authority"


PURPOSES = {
    Purpose.QUALITY: "质控抽查",
    Purpose.COMPLAINT: "投诉处理",
    Purpose.DISPUTE: "医疗纠纷",
    Purpose.AUTHORITY: "主管部门调阅",
}


def last_kept_day(recorded_at: datetime) -> date:
    """The last day on which a recording has to be there; a recording of 29 February is kept to 28 February."""
    day = local(recorded_at).date()
    try:
        return day.replace(year=day.year + KEPT_YEARS)
    except ValueError:
        return day.replace(year=day.year + KEPT_YEARS, day=28)


def deletion_issues(recorded_at: datetime, today: date, *, held: bool, ended: bool) -> list[Issue]:
    """Every reason why a recording must not be deleted today."""
    issues = []
    if not ended:
        issues.append(Issue("", "still_recording", "录像尚未结束，不能删除"))
    if today <= (last := last_kept_day(recorded_at)):
        issues.append(
            Issue("", "retention_not_over", f"录像须保存至 {last:%Y年%-m月%-d日}，在此之前不能删除")
        )
    if held:
        issues.append(Issue("", "legal_hold", "录像已被依法封存，不能删除"))
    return issues


def reason_issues(reason: str) -> list[Issue]:
    """A reason has words in it."""
    if len(reason.strip()) < SHORTEST_REASON:
        return [Issue("reason", "too_short", f"请写明原因，至少 {SHORTEST_REASON} 个字")]
    return []
