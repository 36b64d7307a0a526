"""The rule itself: pure, versioned, re-runnable. `decide` sees only what is frozen as evidence."""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from foundation.errors import Conflict, NotFound


class Outcome(StrEnum):
    """Eligible, judged by the doctor before acceptance, or refused."""

    ELIGIBLE = "eligible"
    DOCTOR_DECIDES = "doctor_decides"
    REFUSED = "refused"


@dataclass(frozen=True)
class Fact:
    """One diagnosis of one visit, as the hospital has it."""

    visit_id: str
    resource_hash: str
    day: date
    code: str
    certainty: str
    status: str
    source: str


@dataclass(frozen=True)
class RuleSet:
    """Version and numbers of the rule. `windows` overrides the months per 3-character category."""

    version: str = "2026-1"
    months: int = 1
    windows: dict[str, int] = field(default_factory=dict)
    online_renews: bool = False
    chronic: frozenset[str] = frozenset(
        "I10 I11 I12 I13 I15 E10 E11 E12 E13 E14 J44 I25 I69 J45 N18 E03 E05 M80 M81 M82 G40 M10 F32 F33 N40 H40".split()
    )
    red_flags: frozenset[str] = frozenset(
        "E10.0 E10.1 E11.0 E11.1 E14.0 E14.1 J44.0 J44.1 I20.0 I21 I22 I60 I61 I62 I63 I64 K29.0 N18.0 R10.0 U07 U08".split()
    )
    never_chapters: tuple[str, ...] = ("O", "R", "S", "T", "V", "W", "X", "Y", "Z")
    """Pregnancy, symptoms, injuries, factors: no 3-character match ever counts for them."""


@dataclass(frozen=True)
class Decision:
    """Outcome with the words for the patient and the evidence it rests on."""

    outcome: Outcome
    reason: str
    words: str
    level: str = ""
    evidence: Fact | None = None
    last_possible_day: date | None = None


RULES = RuleSet()
_CODE = re.compile(r"^([A-Z]\d{2})(?:\.([\dx]))?", re.IGNORECASE)


def category(code: str) -> str:
    """The 3-character category of an ICD-10 code; empty when it is none."""
    found = _CODE.match(code.strip().upper())
    return found.group(1) if found else ""


def subcategory(code: str) -> str:
    """The 4-character subcategory: `I10.x00` → `I10.X`, `E11.900` → `E11.9`, `I10` → `I10.X`."""
    found = _CODE.match(code.strip().upper())
    return f"{found.group(1)}.{found.group(2) or 'X'}" if found else ""


def add_months(day: date, months: int) -> date:
    """The same day `months` later, clamped to the month's end: 31 January + 1 = 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_day(day: date, code: str, rules: RuleSet = RULES) -> date:
    """The last day, inclusive, on which a visit of `day` still qualifies."""
    return add_months(day, rules.windows.get(category(code), rules.months))


def red_flag(code: str, rules: RuleSet = RULES) -> bool:
    """Whether the code must not be treated online at all."""
    return category(code) in rules.red_flags or subcategory(code) in rules.red_flags


def decide(wanted: str, facts: Sequence[Fact], day: date, rules: RuleSet = RULES) -> Decision:
    """Decide for the diagnosis `wanted` on the booking day."""
    if not category(wanted):
        return Decision(Outcome.REFUSED, "unknown_code", "没有识别出该诊断，请联系医院")
    if red_flag(wanted, rules):
        return Decision(
            Outcome.REFUSED, "red_flag", "该疾病病情可能变化较快，不适合线上复诊，请尽快到医院就诊"
        )
    counted = [fact for fact in facts if _counts(fact, rules)]
    same = [fact for fact in counted if subcategory(fact.code) == subcategory(wanted)]
    if found := _newest_inside(same, day, rules):
        return Decision(Outcome.ELIGIBLE, "same_subcategory", "符合在线复诊条件", "subcategory", found)
    akin = [
        fact for fact in counted if category(fact.code) == category(wanted) and not red_flag(fact.code, rules)
    ]
    if category(wanted).startswith(rules.never_chapters):
        akin = []
    if found := _newest_inside(akin, day, rules):
        if category(wanted) in rules.chronic:
            return Decision(Outcome.ELIGIBLE, "same_chronic_category", "符合在线复诊条件", "category", found)
        return Decision(
            Outcome.DOCTOR_DECIDES,
            "same_category",
            "需由医生判断是否符合复诊条件；不符合将全额退款",
            "category",
            found,
        )
    return _refused(same or akin, rules)


def _counts(fact: Fact, rules: RuleSet) -> bool:
    """Confirmed, of a visit that took place, and offline unless the hospital lets online visits renew the window."""
    return (
        fact.certainty == "confirmed"
        and fact.status not in ("cancelled", "entered-in-error")
        and bool(category(fact.code))
        and (rules.online_renews or fact.source == "offline")
    )


def _newest_inside(facts: Sequence[Fact], day: date, rules: RuleSet) -> Fact | None:
    inside = [fact for fact in facts if fact.day <= day <= last_day(fact.day, fact.code, rules)]
    return max(inside, key=lambda fact: (fact.day, fact.visit_id), default=None)


def _refused(near: Sequence[Fact], rules: RuleSet) -> Decision:
    if not near:
        return Decision(
            Outcome.REFUSED, "no_such_diagnosis", "没有查到您在本院的相同诊断，首次就诊请到医院线下门诊"
        )
    newest = max(near, key=lambda fact: fact.day)
    until = last_day(newest.day, newest.code, rules)
    words = f"您上次的就诊已超过复诊期限（最晚可预约到 {until:%Y年%m月%d日}），请到医院线下就诊"
    return Decision(Outcome.REFUSED, "outside_window", words, evidence=newest, last_possible_day=until)


def require_usable(outcome: str | None, booking_day: date | None, today: date) -> None:
    """`NotFound` without a decision (outcome None), `Conflict` with the reason when it does not let anybody book today."""
    if outcome is None:
        raise NotFound("没有找到复诊资格核对记录", code="eligibility_not_found")
    if outcome == Outcome.REFUSED:
        raise Conflict("不符合在线复诊条件", code="not_eligible")
    if booking_day != today:
        raise Conflict("复诊资格核对已过期，请重新核对", code="eligibility_outdated")
