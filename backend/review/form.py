"""Formal correctness: number of drugs, days, a diagnosis, whole packs."""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from backend.formulary.facts import Drug
from backend.review.draft import (
    TIMES_PER_DAY,
    Category,
    Draft,
    Finding,
    Item,
    PatientFacts,
    Severity,
    amount_of,
)
from backend.review.finding import finding

MOST_DRUGS = 5
"""处方管理办法 第六条."""
NORMAL_DAYS, LONGER_DAYS, LONG_TERM_DAYS = 7, 30, 84
"""7 days; longer with a reason (处方管理办法 第十九条); 12 weeks at most (长期处方管理规范)."""


def check(draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug]) -> Iterator[Finding]:
    """Everything about the shape of the prescription."""
    if not draft.items:
        yield _form("form.no_item", Severity.BLOCK, "处方没有药品")
    if not draft.diagnoses:
        yield _form("form.no_diagnosis", Severity.BLOCK, "处方没有诊断")
    if len(draft.items) > MOST_DRUGS:
        yield _form("form.too_many", Severity.BLOCK, f"一张处方不能超过 {MOST_DRUGS} 种药品")
    for index, item in enumerate(draft.items):
        drug = drugs.get(item.drug_code)
        if drug is not None:
            yield from _days(index, item, drug, draft, patient)
            yield from _quantity(index, item, drug)


def _days(index: int, item: Item, drug: Drug, draft: Draft, patient: PatientFacts) -> Iterator[Finding]:
    if item.days < 1:
        yield _form("form.days_missing", Severity.BLOCK, f"{drug.generic_name}的用药天数应至少为 1 天", index)
        return
    most = LONG_TERM_DAYS if drug.long_term_allowed and patient.chronic else LONGER_DAYS
    if item.days > most:
        words = f"{drug.generic_name}的用药天数不能超过 {most} 天"
        yield _form("form.days_over", Severity.BLOCK, words, index)
    elif item.days > NORMAL_DAYS and not draft.reason.strip():
        words = f"{drug.generic_name}的用药天数超过 {NORMAL_DAYS} 天，请注明理由"
        yield _form("form.days_reason", Severity.REASON, words, index)


def _quantity(index: int, item: Item, drug: Drug) -> Iterator[Finding]:
    needed = packs_needed(item, drug)
    if item.quantity < 1:
        yield _form("form.quantity_missing", Severity.BLOCK, f"请填写{drug.generic_name}的数量", index)
    elif needed is not None and item.quantity > needed:
        words = f"{drug.generic_name}的数量 {item.quantity}{drug.pack_unit}超过所需 {needed}{drug.pack_unit}"
        yield _form("form.quantity_over", Severity.BLOCK, words, index)
    elif needed is not None and item.quantity < needed:
        words = f"{drug.generic_name}的数量不足 {item.days} 天（需要 {needed}{drug.pack_unit}）"
        yield _form("form.quantity_short", Severity.INFO, words, index)


def packs_needed(item: Item, drug: Drug) -> int | None:
    """Whole packs for the course, rounded up; None when the drug has no figure to compute with (creams, syrups)."""
    times = TIMES_PER_DAY.get(item.frequency)
    each = units_of(item.dose, drug)
    if times is None or each is None or drug.pack_size < 1 or item.days < 1:
        return None
    return math.ceil(Fraction(math.ceil(each) * math.ceil(times[0] * item.days), drug.pack_size))


def units_of(dose: str, drug: Drug) -> Fraction | None:
    """How many tablets (capsules, sachets …) a dose is; None when its unit cannot be converted."""
    amount, strength = amount_of(dose), amount_of(drug.strength_amount)
    if amount is None or drug.dose_unit == drug.unit:
        return amount
    if strength is None or drug.dose_unit not in ("mg", "g"):
        return None
    return amount * (1000 if drug.dose_unit == "g" else 1) / strength


def _form(rule: str, severity: Severity, words: str, item: int | None = None) -> Finding:
    return finding(rule, Category.FORM, severity, words, "处方管理办法", item)
