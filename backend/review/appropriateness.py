"""Appropriateness: whether each drug fits the diagnosis, the patient and the other drugs."""

from collections.abc import Iterator, Mapping

from backend.eligibility.rules import category
from backend.formulary.facts import Drug
from backend.review import allergy, combining, dosing, suitability
from backend.review.draft import ROUTES, Draft, Finding, PatientFacts, Severity
from backend.review.finding import finding
from backend.review.lines import Line, codes, known_lines


def check(draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug]) -> Iterator[Finding]:
    """Every drug against the patient, the diagnoses and the other drugs."""
    lines = known_lines(draft, drugs)
    known = suitability.all_codes(draft, patient)
    current = codes({one.code for one in draft.diagnoses} | patient.confirmed_codes)
    yield from allergy.unknown(draft, patient)
    for line in lines:
        yield from allergy.check(line, patient)
        yield from dosing.check(line, patient, known)
        yield from _route(line)
        yield from _age(line, patient)
        yield from _indication(line, draft)
        yield from suitability.check(line, patient, known, current)
    yield from combining.check(lines, patient, drugs)


def _route(line: Line) -> Iterator[Finding]:
    item, drug = line.item, line.drug
    if item.route not in ROUTES or (drug.routes and item.route not in drug.routes):
        allowed = "、".join(ROUTES.get(code, code) for code in drug.routes)
        yield finding("fit.route", f"{drug.generic_name}的给药途径应为：{allowed}", line.index)


def _age(line: Line, patient: PatientFacts) -> Iterator[Finding]:
    if patient.age < line.drug.age_min_years:
        words = f"{line.drug.generic_name}不用于 {line.drug.age_min_years} 岁以下患者"
        yield finding("fit.age", words, line.index)


def _indication(line: Line, draft: Draft) -> Iterator[Finding]:
    if line.drug.indications and not any(indicated(line.drug, one.code) for one in draft.diagnoses):
        words = f"{line.drug.generic_name}的适应证与诊断不符，请注明理由"
        severity = Severity.INFO if draft.reason.strip() else Severity.REASON
        yield finding("fit.indication", words, line.index, severity=severity)


def indicated(drug: Drug, code: str) -> bool:
    """Whether a diagnosis lies in one of the drug's ranges of categories (`I10-I15`)."""
    wanted = category(code)
    for span in drug.indications:
        first, _, last = span.partition("-")
        if wanted and category(first) <= wanted <= category(last or first):
            return True
    return False
