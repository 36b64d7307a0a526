"""A decision made again from its frozen evidence, under its own version of the rule, in words for staff. Pure."""

from dataclasses import dataclass

import msgspec

from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rulebook import book_of
from backend.eligibility.rules import Decision, Fact, Outcome, PaperFact, decide

OUTCOMES = {
    Outcome.ELIGIBLE: "符合在线复诊条件", Outcome.DOCTOR_DECIDES: "由医生判断", Outcome.REFUSED: "不能线上复诊",
}  # fmt: skip


@dataclass(frozen=True)
class Explanation:
    """Whether it comes out the same, how, and what is remarkable about it; `again` is None when the rule does not ship any more."""

    same: bool
    again: Decision | None
    steps: tuple[str, ...]
    remarks: tuple[str, ...]


def explain(row: EligibilityDecision) -> Explanation:
    """Make the decision again."""
    rules = book_of(row.rule_version)
    if rules is None:
        return Explanation(
            same=False, again=None, steps=(), remarks=(f"没有规则版本 {row.rule_version}，无法复算",)
        )
    facts = msgspec.convert(row.facts, list[Fact])
    papers = msgspec.convert(row.papers or [], list[PaperFact])
    again = decide(row.diagnosis_code, facts, row.booking_day, rules, acute=bool(row.acute), papers=papers)
    remarks = []
    if row.rule_sha256 and row.rule_sha256 != rules.sha256:
        remarks.append(
            f"规则文件 {row.rule_version} 与作出判定时不同（当时 {row.rule_sha256[:12]}，现在 {rules.sha256[:12]}）"
        )
    before = (row.outcome, row.reason, row.evidence_day)
    after = (again.outcome.value, again.reason, again.evidence.day if again.evidence else None)
    if before != after:
        remarks.append(f"当时：{_said(*before)}；复算：{_said(*after)}")
    looked = f"当时查阅了 {row.considered} 条诊断，保留与所申请疾病有关的 {len(facts)} 条"
    return Explanation(
        not remarks, again, (looked, *again.steps) if row.considered else again.steps, tuple(remarks)
    )


def _said(outcome: str, reason: str, day: object) -> str:
    return f"{OUTCOMES.get(Outcome(outcome), outcome)}（{reason}，依据 {day or '无'}）"


def lines(row: EligibilityDecision, found: Explanation) -> list[str]:
    """For the command and the desk."""
    head = f"判定 {row.id}：{OUTCOMES[Outcome(row.outcome)]}（{row.reason}），预约日 {row.booking_day}"
    steps = [f"{place}. {one}" for place, one in enumerate(found.steps, start=1)]
    last = "复算结果与当时一致" if found.same else "复算结果与当时不一致"
    return [head, *steps, *(f"! {one}" for one in found.remarks), last]
