"""Dose and frequency: the label's maximum, and the narrower ones by age, kidney and weight."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from backend.formulary.facts import Drug, Limit
from backend.review.draft import ONCE, TIMES_PER_DAY, Finding, PatientFacts, Severity, amount_of
from backend.review.finding import finding
from backend.review.form import in_mg
from backend.review.lines import Codes, Line
from backend.review.rulebook import rulebook

KIDNEY_DISEASE = "N17-N19"
ELDERLY = 65
ROUNDING = Fraction(11, 10)
"""A dose by weight may be a tenth above, so that half a sachet is possible."""


def check(line: Line, patient: PatientFacts, known: Codes) -> Iterator[Finding]:
    """Frequency, dose, and every limit that holds for this patient."""
    item, drug, index = line.item, line.drug, line.index
    times = TIMES_PER_DAY.get(item.frequency)
    if times is None:
        yield finding("fit.frequency", "请选择用药频次", index)
        return
    yield from _unusual(line)
    dose = amount_of(item.dose)
    if dose is None:
        yield finding("fit.dose_missing", f"请填写{drug.generic_name}的单次剂量", index)
        return
    daily = dose * max(times[0], Fraction(1))  # once a week is once on that day
    yield from _most(line, dose, daily, patient)
    holding = [limit for limit in drug.limits if _holds(limit, patient)]
    yield from _weight(line, daily, holding, patient)
    yield from _avoid(line, holding)
    if patient.egfr is None and any(limit.egfr_below is not None for limit in drug.limits):
        words = f"{drug.generic_name}须按肾功能调整，请填写肾小球滤过率"
        if known.within(KIDNEY_DISEASE):
            yield finding("fit.renal_unknown", words, index)
        elif patient.age >= ELDERLY:
            yield finding("fit.renal_unknown_elderly", words, index)


def _unusual(line: Line) -> Iterator[Finding]:
    item, drug = line.item, line.drug
    rules = [rule for one in drug.ingredients for rule in rulebook().frequencies.get(one, ())]
    if not rules:
        rules = list(rulebook().frequencies.get(f"form:{drug.form_code}", ()))
    for rule in rules:
        if item.frequency not in rule.value.split("|"):
            words = f"{drug.generic_name}的频次“{TIMES_PER_DAY[item.frequency][1]}”不当：{rule.words}"
            yield finding(
                "fit.frequency_unusual", words, line.index, severity=rule.severity, source=rule.source
            )
    if item.frequency == ONCE and item.days > 1:
        words = f"{drug.generic_name}写为单次，天数应为 1 天"
        yield finding("fit.frequency_unusual", words, line.index)


def _holds(limit: Limit, patient: PatientFacts) -> bool:
    """An unknown kidney fulfils no limit by eGFR; that it is unknown is a finding of its own."""
    if limit.age_from is not None and patient.months < limit.age_from:
        return False
    if limit.age_below is not None and patient.months >= limit.age_below:
        return False
    return limit.egfr_below is None or (patient.egfr is not None and patient.egfr < limit.egfr_below)


def _most(line: Line, dose: Fraction, daily: Fraction, patient: PatientFacts) -> Iterator[Finding]:
    """Of the label's maximum and every limit that holds, only the narrowest is spoken of."""
    item, drug = line.item, line.drug
    for words, rule, amount, field in (
        (f"单次剂量 {item.dose}{drug.dose_unit}", "fit.single_max", dose, "single_max"),
        ("日剂量", "fit.daily_max", daily, "daily_max"),
    ):
        found = _narrowest(drug, field, patient)
        if found is not None and amount > found[0]:
            most, limit = found
            who = "" if limit is None else f"（{_who(limit)}）"
            said = f"{drug.generic_name}{words}超过最大 {_plain(most)}{drug.dose_unit}{who}"
            yield finding(_rule(rule, limit), said, line.index)


def _narrowest(drug: Drug, field: str, patient: PatientFacts) -> tuple[Fraction, Limit | None] | None:
    found: list[tuple[Fraction, Limit | None]] = []
    if (label := amount_of(getattr(drug, field))) is not None:
        found.append((label, None))
    for limit in drug.limits:
        if _holds(limit, patient) and (most := amount_of(getattr(limit, field))) is not None:
            found.append((most, limit))
    return min(found, key=lambda one: one[0], default=None)


def _rule(plain: str, limit: Limit | None) -> str:
    if limit is None:
        return plain
    return "fit.age_dose" if limit.egfr_below is None else "fit.renal_dose"


def _weight(
    line: Line, daily: Fraction, holding: Sequence[Limit], patient: PatientFacts
) -> Iterator[Finding]:
    weight, amount = amount_of(patient.weight_kg), in_mg(daily, line.drug)
    if weight is None or amount is None:
        return
    for limit in holding:
        per_kg = amount_of(limit.daily_per_kg)
        if per_kg is not None and amount > per_kg * weight * ROUNDING:
            most = _plain(per_kg * weight)
            words = f"{line.drug.generic_name}日剂量超过按体重 {patient.weight_kg}kg 计算的最大 {most}mg"
            yield finding("fit.weight_dose", words, line.index)


def _avoid(line: Line, holding: Sequence[Limit]) -> Iterator[Finding]:
    """The gravest advice is enough."""
    advised = sorted((limit for limit in holding if limit.advice), key=lambda limit: limit.advice != "block")
    for limit in advised[:1]:
        rule = "fit.age_avoid" if limit.egfr_below is None else "fit.renal_avoid"
        verb = "禁用" if limit.advice == "block" else "不宜使用，请注明理由"
        words = f"{line.drug.generic_name}：{_who(limit)}{verb}"
        yield finding(rule, words, line.index, severity=Severity(limit.advice))


def _who(limit: Limit) -> str:
    parts = []
    if limit.age_from is not None:
        parts.append(f"{_age(limit.age_from)}以上")
    if limit.age_below is not None:
        parts.append(f"{_age(limit.age_below)}以下")
    if limit.egfr_below is not None:
        parts.append(f"肾小球滤过率低于 {limit.egfr_below}")
    return "、".join(parts)


def _age(months: int) -> str:
    return f"{months // 12} 岁" if months % 12 == 0 and months else f"{months} 月龄"


def _plain(amount: Fraction) -> str:
    return f"{float(amount):g}"
