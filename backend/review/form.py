"""Formal correctness: number of drugs, days, a diagnosis, whole packs, no vague words."""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from backend.formulary.facts import Drug
from backend.review.draft import ONCE, TIMES_PER_DAY, Draft, Finding, Item, PatientFacts, Severity, amount_of
from backend.review.finding import finding

MOST_DRUGS = 5
"""处方管理办法 第六条."""
EMERGENCY_DAYS, NORMAL_DAYS, LONGER_DAYS, ASSESSED_DAYS, LONG_TERM_DAYS = 3, 7, 30, 28, 84
"""3 in an emergency; 7; longer with a reason (处方管理办法 第十九条); 12 weeks at most (长期处方管理规范), from 4 on assessed."""
EMERGENCY = "emergency"
UNCOUNTED_PACKS = 5
"""More packs of what cannot be counted (creams, syrups) ask for a reason."""
VAGUE = ("遵医嘱", "自用", "按说明", "同前")
INFANT_BELOW = 3
_IN_MG = {"mg": Fraction(1), "g": Fraction(1000), "μg": Fraction(1, 1000)}


def check(draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug]) -> Iterator[Finding]:
    """Everything about the shape of the prescription."""
    if not draft.items:
        yield finding("form.no_item", "处方没有药品")
    if not draft.diagnoses:
        yield finding("form.no_diagnosis", "处方没有诊断")
    if len(draft.items) > MOST_DRUGS:
        yield finding("form.too_many", f"一张处方不能超过 {MOST_DRUGS} 种药品")
    if patient.age < INFANT_BELOW and not patient.weight_kg and draft.items:
        yield finding("form.infant_weight", "婴幼儿处方请核对月龄并注明体重")
    for index, item in enumerate(draft.items):
        drug = drugs.get(item.drug_code)
        if drug is not None:
            yield from _days(index, item, drug, draft, patient)
            yield from _quantity(index, item, drug, draft)
            if any(words in item.note for words in VAGUE):
                yield finding("form.vague_use", f"{drug.generic_name}的用法不能写“{item.note}”", index)


def _days(index: int, item: Item, drug: Drug, draft: Draft, patient: PatientFacts) -> Iterator[Finding]:
    name, said = drug.generic_name, bool(draft.reason.strip())
    if item.days < 1:
        yield finding("form.days_missing", f"{name}的用药天数应至少为 1 天", index)
        return
    most = LONG_TERM_DAYS if drug.long_term_allowed and patient.chronic else LONGER_DAYS
    if item.days > most:
        yield finding("form.days_over", f"{name}的用药天数不能超过 {most} 天", index)
    elif draft.kind == EMERGENCY and item.days > EMERGENCY_DAYS:
        severity = Severity.INFO if said else Severity.REASON
        words = f"急诊处方中{name}的用药天数超过 {EMERGENCY_DAYS} 天，请注明理由"
        yield finding("form.emergency_days", words, index, severity=severity)
    elif item.days > NORMAL_DAYS and not said:
        yield finding("form.days_reason", f"{name}的用药天数超过 {NORMAL_DAYS} 天，请注明理由", index)
    if ASSESSED_DAYS < item.days <= most:
        words = f"{name}超过 {ASSESSED_DAYS} 天，请评估病情稳定、记录并取得患者确认"
        yield finding("form.long_term", words, index)


def _quantity(index: int, item: Item, drug: Drug, draft: Draft) -> Iterator[Finding]:
    needed = packs_needed(item, drug)
    if item.quantity < 1:
        yield finding("form.quantity_missing", f"请填写{drug.generic_name}的数量", index)
    elif needed is not None and item.quantity > needed:
        words = f"{drug.generic_name}的数量 {item.quantity}{drug.pack_unit}超过所需 {needed}{drug.pack_unit}"
        yield finding("form.quantity_over", words, index)
    elif needed is not None and item.quantity < needed:
        words = f"{drug.generic_name}的数量不足 {item.days} 天（需要 {needed}{drug.pack_unit}）"
        yield finding("form.quantity_short", words, index)
    elif needed is None and item.quantity > UNCOUNTED_PACKS:
        words = f"{drug.generic_name} {item.quantity}{drug.pack_unit}无法按剂量核算，请注明理由"
        severity = Severity.INFO if draft.reason.strip() else Severity.REASON
        yield finding("form.quantity_large", words, index, severity=severity)


def packs_needed(item: Item, drug: Drug) -> int | None:
    """Whole packs for the course, rounded up; None when the drug has no figure to compute with (creams, syrups)."""
    times = TIMES_PER_DAY.get(item.frequency)
    each = units_of(item.dose, drug)
    if times is None or each is None or drug.pack_size < 1 or item.days < 1:
        return None
    doses = 1 if item.frequency == ONCE else math.ceil(times[0] * item.days)
    return math.ceil(Fraction(math.ceil(each) * doses, drug.pack_size))


def units_of(dose: str, drug: Drug) -> Fraction | None:
    """How many tablets (capsules, sachets …) a dose is; None when its unit cannot be converted."""
    amount, strength = amount_of(dose), amount_of(drug.strength_amount)
    if amount is None or drug.dose_unit == drug.unit:
        return amount
    if strength is None or drug.dose_unit not in _IN_MG:
        return None
    return amount * _IN_MG[drug.dose_unit] / strength


def in_mg(dose: Fraction, drug: Drug) -> Fraction | None:
    """A dose in mg; None when the drug is not dosed by weight."""
    factor = _IN_MG.get(drug.dose_unit)
    return None if factor is None else dose * factor
