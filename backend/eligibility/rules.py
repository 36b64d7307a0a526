"""The rule itself: pure, versioned, re-runnable. `decide` sees only what is frozen as evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from backend.eligibility.codes import category, plain, six, subcategory
from backend.eligibility.rulebook import RuleSet, books
from backend.eligibility.rulefile import PAPER_KINDS
from backend.eligibility.window import add_months
from foundation.errors import Conflict, NotFound

__all__ = ["add_months", "category", "subcategory"]


class Outcome(StrEnum):
    """Eligible, judged by the doctor before acceptance, or refused."""

    ELIGIBLE = "eligible"
    DOCTOR_DECIDES = "doctor_decides"
    REFUSED = "refused"


class Level(StrEnum):
    """How near a diagnosis of the hospital is to the one asked for, nearest first."""

    CODE = "code"
    SUBCATEGORY = "subcategory"
    CATEGORY = "category"
    GROUP = "group"
    TEXT = "text"
    PAPERS = "papers"
    NONE = ""


NEAR = (Level.CODE, Level.SUBCATEGORY)
LEVELS = {
    Level.CODE: "六位编码相同", Level.SUBCATEGORY: "四位亚目相同", Level.CATEGORY: "三位类目相同",
    Level.GROUP: "属于同一临床分组", Level.TEXT: "只有文字诊断，没有编码", Level.PAPERS: "患者上传的材料", Level.NONE: "不是同一种疾病",
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """One diagnosis of one visit, as the hospital has it, without a word of hers.

    `read`: code, synonym (read from its name) or unresolved. `acute` and `danger`: what its name said. `department` is our code.
    """

    visit_id: str
    resource_hash: str
    day: date
    code: str
    certainty: str
    status: str
    source: str
    kind: str = "outpatient"
    rank: int = 1
    department: str = ""
    read: str = "code"
    acute: bool = False
    danger: bool = False


@dataclass(frozen=True)
class PaperFact:
    """A paper she uploaded: what it is, the day it says, the hash of what is kept."""

    kind: str
    day: date
    sha256: str


@dataclass(frozen=True)
class Decision:
    """Outcome with the words for the patient, the evidence it rests on, and how it came about in words for staff."""

    outcome: Outcome
    reason: str
    words: str
    level: str = ""
    evidence: Fact | None = None
    last_possible_day: date | None = None
    papers_may_help: bool = False
    only_department: str = ""
    steps: tuple[str, ...] = ()


RULES = books()[-1]
"""The newest version; what is in force on a day is `rulebook.book_on`."""

UNKNOWN = "没有识别出该诊断，请联系医院"
RED_FLAG = "该疾病病情可能变化较快，不适合线上复诊，请尽快到医院就诊"
RED_FLAG_SINCE = "您最近的就诊记录提示病情可能变化较快，不适合线上复诊，请尽快到医院就诊"
ELIGIBLE = "符合在线复诊条件"
JUDGED = "需由医生判断是否符合复诊条件；不符合将全额退款"
NO_SUCH = "没有查到您在本院的相同诊断，首次就诊请到医院线下门诊"
MATCHED = {
    Level.CODE: (Outcome.ELIGIBLE, "same_subcategory"), Level.SUBCATEGORY: (Outcome.ELIGIBLE, "same_subcategory"),
    Level.CATEGORY: (Outcome.DOCTOR_DECIDES, "same_category"), Level.GROUP: (Outcome.DOCTOR_DECIDES, "same_group"),
    Level.TEXT: (Outcome.DOCTOR_DECIDES, "text_only"),
}  # fmt: skip


class Seen(NamedTuple):
    """A fact with what the rule says of it; `out` is why it does not count, in words, empty when it does."""

    fact: Fact
    level: Level
    out: str
    until: date

    def inside(self, day: date) -> bool:
        """Whether its window covers the day."""
        return not self.out and self.fact.day <= day <= self.until


def last_day(day: date, code: str, rules: RuleSet = RULES) -> date:
    """The last day, inclusive, on which a visit of `day` still qualifies."""
    return rules.window_of(code).last(day)


def red_flag(code: str, rules: RuleSet = RULES) -> bool:
    """Whether the code must not be treated online at all."""
    return bool(rules.red_flag(code))


def level_between(wanted: str, found: str, rules: RuleSet = RULES) -> Level:
    """How near two codes are, as written or as they are written now."""
    pairs = {(plain(wanted), plain(found)), (plain(rules.mapped(wanted)), plain(rules.mapped(found)))}
    if not (category(wanted) and category(found)):
        return Level.NONE
    if rules.exact and six(wanted) == six(found):
        return Level.CODE
    if any(subcategory(one) == subcategory(other) for one, other in pairs):
        return Level.SUBCATEGORY
    if any(category(one) == category(other) for one, other in pairs):
        return Level.CATEGORY
    return Level.GROUP if any(rules.group_of(one, other) for one, other in pairs) else Level.NONE


def why_not_counted(fact: Fact, rules: RuleSet) -> str:
    """Why a diagnosis is no evidence, in words for staff; empty when it is."""
    staying = fact.kind == "inpatient" and rules.inpatient_over and fact.status not in rules.inpatient_over
    reasons = (
        (fact.certainty != "confirmed", "疑似诊断，没有确诊"),
        (fact.status in rules.not_counting, "就诊已取消、退号或未发生"),
        (staying, "仍在住院，期限从出院日起算"),
        (fact.source != "offline" and rules.online == "never", "线上就诊不延长期限"),
        (rules.ranks == "main" and fact.rank != 1, "不是主要诊断"),
        (not category(fact.code) and rules.unresolved == "ignore", "没有诊断编码"),
    )
    return next((words for true, words in reasons if true), "")


def look_at(wanted: str, facts: Sequence[Fact], rules: RuleSet = RULES) -> list[Seen]:
    """Each fact with its level and whether it counts; an online visit counts as long as a chain leads back to an offline one."""
    found: list[Seen] = []
    for fact in sorted(
        facts, key=lambda one: (one.day, one.source != "offline", one.resource_hash, one.code)
    ):
        level = level_between(wanted, fact.code, rules) if category(fact.code) else Level.TEXT
        out = why_not_counted(fact, rules)
        if not out and fact.source != "offline" and rules.online == "chained":
            chain = any(
                not one.out and one.level is not Level.NONE and one.fact.day <= fact.day <= one.until
                for one in found
            )
            out = "" if chain else "线上就诊之前没有期限内的线下就诊"
        found.append(Seen(fact, level, out, last_day(fact.day, fact.code, rules)))
    return found


def relevant(wanted: str, facts: Sequence[Fact], rules: RuleSet = RULES) -> list[Fact]:
    """The facts that a decision can rest on or fail by: these alone are kept, without the hospital's visit numbers."""
    return [
        replace(one.fact, visit_id="")
        for one in look_at(wanted, facts, rules)
        if one.level is not Level.NONE and (one.level is not Level.TEXT or rules.unresolved == "doctor")
    ]


def decide(
    wanted: str, facts: Sequence[Fact], day: date, rules: RuleSet = RULES, *, acute: bool = False,
    papers: Sequence[PaperFact] = (),
) -> Decision:  # fmt: skip
    """Decide for the diagnosis `wanted` on the booking day; `acute` says that its name forbids a broad match."""
    if not category(wanted):
        return Decision(Outcome.REFUSED, "unknown_code", UNKNOWN, steps=(f"“{wanted}”不是诊断编码",))
    steps = [f"规则 {rules.version}；预约日 {day}；申请复诊的诊断 {wanted}{_now(wanted, rules)}"]
    if why := rules.red_flag(wanted):
        return Decision(Outcome.REFUSED, "red_flag", RED_FLAG, steps=(*steps, f"红旗诊断：{why}"))
    broad = rules.broad(wanted) and not acute
    seen = look_at(wanted, facts, rules)
    steps += [told(one, day, rules, broad=broad) for one in seen if one.level is not Level.NONE]
    usable = [one for one in seen if _usable(one, rules, broad=broad)]
    if danger := _danger(seen, usable, day, rules):
        steps.append(
            f"{danger.fact.day} 的诊断 {danger.fact.code} 提示病情可能变化较快，此后没有新的平稳记录"
        )
        return Decision(
            Outcome.REFUSED, "red_flag_since", RED_FLAG_SINCE, danger.level, danger.fact, steps=tuple(steps)
        )
    if found := _best(usable, day):
        return _matched(wanted, found, rules, steps)
    return _on_papers(_refused(usable, rules, steps), papers, day, rules)


def _now(code: str, rules: RuleSet) -> str:
    mapped = rules.mapped(code)
    return "" if mapped == code else f"（按编码对照表为 {mapped}）"


def _usable(one: Seen, rules: RuleSet, *, broad: bool) -> bool:
    """Whether a fact can carry a decision at its level, in its window or not."""
    if one.out or one.fact.danger or one.level is Level.NONE:
        return False
    if one.level in NEAR or one.level is Level.TEXT:
        return True
    return broad and not one.fact.acute and rules.broad(one.fact.code)


def _danger(seen: Sequence[Seen], usable: Sequence[Seen], day: date, rules: RuleSet) -> Seen | None:
    """A dangerous form of the same disease in the window, with nothing newer that is not."""
    if not rules.newer_red_flag:
        return None
    bad = [
        one for one in seen
        if one.inside(day) and one.level not in (Level.NONE, Level.TEXT)
        and (one.fact.danger or rules.red_flag(one.fact.code))
    ]  # fmt: skip
    worst = max(bad, key=_newest, default=None)
    calm = max(
        (one.fact.day for one in usable if one.inside(day) and one.level is not Level.TEXT), default=None
    )
    return worst if worst and (calm is None or calm <= worst.fact.day) else None


def _newest(one: Seen) -> tuple[date, str, str]:
    return one.fact.day, one.fact.resource_hash, one.fact.code


def _best(usable: Sequence[Seen], day: date) -> Seen | None:
    """The nearest level that has anything in its window, and its newest visit; code and subcategory are one."""
    for levels in (NEAR, (Level.CATEGORY,), (Level.GROUP,), (Level.TEXT,)):
        inside = [one for one in usable if one.level in levels and one.inside(day)]
        if inside:
            return max(inside, key=lambda one: (one.fact.day, one.level is Level.CODE, *_newest(one)))
    return None


def _matched(wanted: str, found: Seen, rules: RuleSet, steps: list[str]) -> Decision:
    outcome, reason = MATCHED[found.level]
    if found.level is Level.CATEGORY and category(rules.mapped(wanted)) in rules.chronic:
        outcome, reason = Outcome.ELIGIBLE, "same_chronic_category"
        steps.append("该类目在慢性病目录中，三位类目相同即可")
    words = ELIGIBLE if outcome is Outcome.ELIGIBLE else JUDGED
    steps.append(f"依据 {found.fact.day} 的就诊：{words}")
    only = found.fact.department if rules.same_department else ""
    return Decision(outcome, reason, words, found.level, found.fact, only_department=only, steps=tuple(steps))


def _refused(usable: Sequence[Seen], rules: RuleSet, steps: list[str]) -> Decision:
    near = [one for one in usable if one.level is not Level.TEXT]
    may = rules.papers_heal
    if not near:
        steps.append("没有可作依据的诊断")
        return Decision(Outcome.REFUSED, "no_such_diagnosis", NO_SUCH, papers_may_help="no_such_diagnosis" in may,
                        steps=tuple(steps))  # fmt: skip
    newest = max(near, key=lambda one: (one.level in NEAR, one.until, *_newest(one)))
    words = f"您上次的就诊已超过复诊期限（最晚可预约到 {newest.until:%Y年%m月%d日}），请到医院线下就诊"
    steps.append(f"最近一次可作依据的就诊在 {newest.fact.day}，最晚可预约到 {newest.until}")
    return Decision(
        Outcome.REFUSED, "outside_window", words, evidence=newest.fact, last_possible_day=newest.until,
        papers_may_help="outside_window" in may, steps=tuple(steps),
    )  # fmt: skip


def _on_papers(refused: Decision, papers: Sequence[PaperFact], day: date, rules: RuleSet) -> Decision:
    """A refusal becomes the doctor's matter when she uploaded a paper whose day lies in the window."""
    if not refused.papers_may_help:
        return refused
    good = [
        one
        for one in papers
        if one.kind in rules.paper_kinds and one.day <= day <= rules.window.last(one.day)
    ]
    steps = list(refused.steps)
    for one in papers:
        fits = "日期在期限内" if one in good else "日期不在期限内"
        steps.append(f"患者上传的{PAPER_KINDS.get(one.kind, '材料')}（{one.day}）：{fits}")
    if not good:
        return replace(refused, steps=tuple(steps))
    return Decision(
        Outcome.DOCTOR_DECIDES, "papers", JUDGED, Level.PAPERS, papers_may_help=True,
        steps=(*steps, f"依据患者上传的材料：{JUDGED}"),
    )  # fmt: skip


def told(one: Seen, day: date, rules: RuleSet, *, broad: bool) -> str:
    """A fact and what became of it, in a sentence for staff. Of the hospital's words there is nothing in it."""
    fact = one.fact
    what = f"{fact.day} {fact.code or '（文字诊断）'}{_now(fact.code, rules)}，{LEVELS[one.level]}"
    if fact.read == "synonym":
        what += "（由诊断名称对照得出）"
    if one.out:
        return f"{what}；不计入：{one.out}"
    if fact.danger or rules.red_flag(fact.code):
        return f"{what}；红旗：不作线上复诊的依据"
    if not _usable(one, rules, broad=broad):
        return f"{what}；不计入：该诊断不按三位类目或临床分组放宽"
    fits = "在期限内" if one.inside(day) else "不在期限内"
    return f"{what}；最晚可预约到 {one.until}，预约日{fits}"


def require_usable(outcome: str | None, booking_day: date | None, today: date) -> None:
    """`NotFound` without a decision (outcome None), `Conflict` with the reason when it does not let anybody book today."""
    if outcome is None:
        raise NotFound("没有找到复诊资格核对记录", code="eligibility_not_found")
    if outcome == Outcome.REFUSED:
        raise Conflict("不符合在线复诊条件", code="not_eligible")
    if booking_day != today:
        raise Conflict("复诊资格核对已过期，请重新核对", code="eligibility_outdated")


def require_department(only: str | None, department: str) -> None:
    """`Conflict` when the rule wants the department of the visit and the place is in another."""
    if only and only != department:
        raise Conflict("按医院规定，线上复诊须预约原就诊科室", code="other_department")
