"""Appropriateness: allergy, dose, route, age, indication, duplication."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from backend.eligibility.rules import category
from backend.formulary.facts import Drug
from backend.review.draft import (
    ROUTES,
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


def check(draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug]) -> Iterator[Finding]:
    """Every drug against the patient, the diagnoses and the other drugs."""
    known = [
        (index, item, drugs[item.drug_code])
        for index, item in enumerate(draft.items)
        if item.drug_code in drugs
    ]
    if patient.allergy_groups is None and not draft.reason.strip():
        words = "暂时无法从医院系统取得过敏史，请向患者核实并注明"
        yield _fit("fit.allergy_unknown", Severity.REASON, words, None)
    for index, item, drug in known:
        yield from _allergy(index, drug, patient)
        yield from _dose(index, item, drug)
        yield from _route(index, item, drug)
        if patient.age < drug.age_min_years:
            words = f"{drug.generic_name}不用于 {drug.age_min_years} 岁以下患者"
            yield _fit("fit.age", Severity.BLOCK, words, index)
        if drug.indications and not any(indicated(drug, one.code) for one in draft.diagnoses):
            words = f"{drug.generic_name}的适应证与诊断不符，请注明理由"
            severity = Severity.INFO if draft.reason.strip() else Severity.REASON
            yield _fit("fit.indication", severity, words, index)
        if drug.skin_test:
            yield _fit("fit.skin_test", Severity.BLOCK, f"{drug.generic_name}需要皮试，不能线上开具", index)
    yield from _duplicates(known)


def _allergy(index: int, drug: Drug, patient: PatientFacts) -> Iterator[Finding]:
    groups = patient.allergy_groups or frozenset()
    if groups.intersection(drug.allergy_groups):
        yield _fit("fit.allergy", Severity.BLOCK, f"患者对{drug.generic_name}同类药物过敏", index)


def _dose(index: int, item: Item, drug: Drug) -> Iterator[Finding]:
    times = TIMES_PER_DAY.get(item.frequency)
    if times is None:
        yield _fit("fit.frequency", Severity.BLOCK, "请选择用药频次", index)
        return
    dose = amount_of(item.dose)
    if dose is None:
        yield _fit("fit.dose_missing", Severity.BLOCK, f"请填写{drug.generic_name}的单次剂量", index)
        return
    single, daily = amount_of(drug.single_max), amount_of(drug.daily_max)
    if single is not None and dose > single:
        words = f"{drug.generic_name}单次剂量 {item.dose}{drug.dose_unit}超过最大 {drug.single_max}{drug.dose_unit}"
        yield _fit("fit.single_max", Severity.BLOCK, words, index)
    if daily is not None and dose * max(times[0], Fraction(1)) > daily:  # once a week is once on that day
        words = f"{drug.generic_name}日剂量超过最大 {drug.daily_max}{drug.dose_unit}"
        yield _fit("fit.daily_max", Severity.BLOCK, words, index)


def _route(index: int, item: Item, drug: Drug) -> Iterator[Finding]:
    if item.route not in ROUTES or (drug.routes and item.route not in drug.routes):
        allowed = "、".join(ROUTES.get(code, code) for code in drug.routes)
        yield _fit("fit.route", Severity.BLOCK, f"{drug.generic_name}的给药途径应为：{allowed}", index)


def _duplicates(known: list[tuple[int, Item, Drug]]) -> Iterator[Finding]:
    for position, (index, _, drug) in enumerate(known):
        for _, _, earlier in known[:position]:
            shared = set(drug.ingredients) & set(earlier.ingredients)
            if shared:
                words = (
                    f"{drug.generic_name}与{earlier.generic_name}含相同成分（{'、'.join(sorted(shared))}）"
                )
                yield _fit("fit.duplicate", Severity.BLOCK, words, index)
            elif drug.drug_class and drug.drug_class == earlier.drug_class:
                words = f"{drug.generic_name}与{earlier.generic_name}同为{drug.drug_class}"
                yield _fit("fit.same_class", Severity.INFO, words, index)


def indicated(drug: Drug, code: str) -> bool:
    """Whether a diagnosis lies in one of the drug's ranges of categories (`I10-I15`)."""
    wanted = category(code)
    for span in drug.indications:
        first, _, last = span.partition("-")
        if wanted and category(first) <= wanted <= category(last or first):
            return True
    return False


def _fit(rule: str, severity: Severity, words: str, item: int | None) -> Finding:
    return finding(rule, Category.APPROPRIATENESS, severity, words, "药品说明书", item)
