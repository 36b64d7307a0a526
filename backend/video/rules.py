"""What a network must carry for a call; what recordings are kept for and how long, and what a look needs. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from foundation.clock import local
from foundation.errors import Issue

KEPT_YEARS = 3
"""互联网诊疗监管细则(试行) 2022: texts, sound and pictures of the process, three years at least."""
FILM_DAYS = 7
VIEW_MINUTES = 60
SHORTEST_REASON, LONGEST_REASON = 4, 300
GIVEN = "given"
"""Of `Encounter.recording_consent`: she agreed, and has not taken it back."""
CONSENT_VERSION = "2026-11"
"""Of the text below; a change of a word makes a new one."""
CONSENT_TEXT = (
    "按规定，视频问诊的画面和声音要全程录制，作为诊疗资料保存至少 3 年。",
    "录像加密保存，只用于诊疗质量管理和纠纷处理。",
    "请在安静、光线好的地方，并照顾好旁人的隐私。",
    "不同意录像也没关系，可以继续用文字和图片问诊；同意后也可以随时撤回，撤回后视频即结束，已录制的部分按规定保存。",
)
SLOW_ROUND_TRIP_MS = 400
"""From here on people talk into each other's words: a hint, no refusal."""


class Decision(StrEnum):
    """About being recorded."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


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


def stream(encounter_id: object) -> str:
    """Of what the video of a visit depends on, besides the visit: consent and permissions to look in."""
    return f"video:{encounter_id}"


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


@dataclass(frozen=True, slots=True)
class Measured:
    """What the check before a call found between a browser and the media process, in bit/s."""

    up: int
    down: int
    round_trip_ms: int


def network_issues(measured: Measured, least: int) -> list[Issue]:
    """Every direction that carries less than a call needs; a `least` of 0 asks for nothing."""
    return [
        Issue(
            name, "bitrate_too_low", f"{words}约 {found // 1000} kbit/s，视频至少需要 {least // 1000} kbit/s"
        )
        for name, words, found in (("up", "上传", measured.up), ("down", "下载", measured.down))
        if found < least
    ]
