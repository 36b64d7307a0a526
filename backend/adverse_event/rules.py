"""What a report must say, every issue at once. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from foundation.clock import LOCAL
from foundation.errors import Issue

KINDS: Mapping[str, str] = {"medical": "医疗", "drug": "药品", "device": "器械", "other": "其他"}
DAMAGE: Mapping[str, str] = {
    "none": "无损害", "mild": "轻度", "moderate": "中度", "severe": "重度", "death": "死亡",
}  # fmt: skip
"""损害程度: the platforms take the word itself, and those with a code table know these words."""
GRADES: Mapping[str, str] = {
    "1": "Ⅰ级 警告事件", "2": "Ⅱ级 不良后果事件", "3": "Ⅲ级 未造成后果事件", "4": "Ⅳ级 隐患事件",
}  # fmt: skip
"""医疗安全（不良）事件分级, given by the quality department."""
URGENT = frozenset({"severe", "death"})
OFFICES: Mapping[str, str] = {
    "doctor": "医务科", "pharmacist": "药剂科", "clerk": "客户服务部", "quality": "质控科",
}  # fmt: skip
"""Which department reports when the reporter is filed for none."""
MOST, LEAST = 450, 4
"""Characters of a text. The platforms keep 500; a supplement's description also names the first report."""
_WORDS = {
    "description": "事件经过",
    "cause": "原因分析",
    "measures": "已采取的措施",
    "improvements": "改进措施",
}
_PHONE = re.compile(r"1\d{10}|0\d{2,3}-?\d{7,8}")
SLACK = timedelta(minutes=2)
"""A form knows minutes only, and the clock of a desk may be a little fast."""


@dataclass(frozen=True)
class Told:
    """What happened, as somebody typed it."""

    happened_at: str
    description: str
    cause: str
    measures: str
    damage: str
    improvements: str


@dataclass(frozen=True)
class Whom:
    """Whom it happened to, as somebody typed it: a visit, or name and telephone."""

    visit_number: str
    name: str
    phone: str


def moment_of(text: str) -> datetime | None:
    """`2026-11-22T09:05` on a Shanghai clock, or an instant with its offset; None when it is neither."""
    try:
        found = datetime.fromisoformat(text.strip())
        aware = found if found.tzinfo else found.replace(tzinfo=LOCAL)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def number_of(text: str) -> UUID | None:
    """A visit's number; None when it is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def told_issues(told: Told, now: datetime) -> list[Issue]:
    """What is wrong with the account of an event."""
    found = []
    moment = moment_of(told.happened_at)
    if moment is None:
        found.append(Issue("happened_at", "wrong_format", "请填写发生时间"))
    elif moment > now + SLACK:
        found.append(Issue("happened_at", "in_the_future", "发生时间不能晚于现在"))
    elif moment.astimezone(LOCAL).year < 2000:
        found.append(Issue("happened_at", "wrong_format", "请核对发生时间的年份"))
    if told.damage not in DAMAGE:
        found.append(Issue("damage", "not_allowed", "请选择损害程度"))
    for name, label in _WORDS.items():
        found += _text_issues(name, label, getattr(told, name))
    return found


def _text_issues(name: str, label: str, text: str) -> list[Issue]:
    length = len(text.strip())
    if length < LEAST:
        return [Issue(name, "too_short", f"请填写{label}，至少 {LEAST} 个字；尚不清楚的写明“待查”和原因")]
    return [Issue(name, "too_long", f"{label}最多 {MOST} 个字，现在 {length} 个字")] if length > MOST else []


def whom_issues(whom: Whom) -> list[Issue]:
    """Without a visit a name and a telephone are needed; whether the visit is there, only the database knows."""
    if whom.visit_number.strip():
        return []
    found = []
    if not 1 <= len(whom.name.strip()) <= 50:
        found.append(Issue("patient_name", "missing", "没有就诊编号时，请填写患者姓名（最多 50 个字）"))
    if not _PHONE.fullmatch(whom.phone.strip()):
        found.append(Issue("patient_phone", "wrong_format", "没有就诊编号时，请填写患者的手机号或座机号"))
    return found


def kind_issues(kind: str) -> list[Issue]:
    """A kind of the table."""
    return [] if kind in KINDS else [Issue("kind", "not_allowed", "请选择事件类别")]


def judged_issues(kind: str, grade: str, note: str) -> list[Issue]:
    """What is wrong with the quality department's classification."""
    found = kind_issues(kind)
    if grade not in GRADES:
        found.append(Issue("grade", "not_allowed", "请选择事件分级"))
    return found + _text_issues("note", "受理意见", note)


def closing_issues(note: str) -> list[Issue]:
    """What is wrong with how it ended."""
    return _text_issues("note", "处理结果", note)


def supplement_words(number: str, description: str) -> str:
    """A supplement says itself what it adds to: no platform has a field for it."""
    return f"【对不良事件 {number} 的补充报告】{description}"
