"""Allergies, cross-allergies by side chain or class, and skin tests."""

from collections.abc import Iterator

from backend.review.draft import Draft, Finding, PatientFacts, Severity
from backend.review.finding import finding
from backend.review.lines import Line
from backend.review.rulebook import rulebook


def unknown(draft: Draft, patient: PatientFacts) -> Iterator[Finding]:
    """A hospital that gave no answer is not a patient without allergies."""
    if patient.allergy_groups is None and not draft.reason.strip():
        yield finding("fit.allergy_unknown", "暂时无法从医院系统取得过敏史，请向患者核实并注明")


def check(line: Line, patient: PatientFacts) -> Iterator[Finding]:
    """The gravest thing there is to say about this drug and her allergies, and its skin test."""
    yield from _skin_test(line, patient)
    drug, groups = line.drug, patient.allergy_groups or frozenset()
    if groups.intersection(drug.allergy_groups):
        yield finding("fit.allergy", f"患者对{drug.generic_name}同类药物过敏", line.index)
        return
    for substance in drug.ingredients:
        if any(substance in name for name in patient.allergy_names):
            yield finding(
                "fit.allergy_substance", f"患者对{substance}过敏（{drug.generic_name}）", line.index
            )
            return
    if (shared := _side_chain(line, patient)) is not None:
        substance, culprit = shared
        words = f"患者对{culprit}过敏，{substance}的侧链与其相同"
        yield finding("fit.allergy_side_chain", words, line.index)
        return
    yield from _cross(line, groups)


def _side_chain(line: Line, patient: PatientFacts) -> tuple[str, str] | None:
    chains = rulebook().chains
    for substance in line.drug.ingredients:
        for culprit, chain in chains.items():
            named = any(culprit in name for name in patient.allergy_names)
            if named and culprit != substance and chains.get(substance) == chain:
                return substance, culprit
    return None


def _cross(line: Line, groups: frozenset[str]) -> Iterator[Finding]:
    for substance in line.drug.ingredients:
        for rule in rulebook().cross_allergy.get(substance, ()):
            if rule.kind in groups:
                words = f"患者有过敏史，{substance}可能交叉过敏：{rule.words}"
                yield finding(
                    "fit.allergy_cross", words, line.index, severity=rule.severity, source=rule.source
                )


def _skin_test(line: Line, patient: PatientFacts) -> Iterator[Finding]:
    tests = [one for one in patient.skin_tests if one.group in line.drug.allergy_groups]
    if any(not one.negative for one in tests):
        yield finding("fit.skin_test_positive", f"{line.drug.generic_name}皮试阳性，禁止使用", line.index)
    elif line.drug.skin_test and not tests:
        words = f"{line.drug.generic_name}需要皮试，没有近日的阴性结果不能线上开具"
        yield finding("fit.skin_test", words, line.index, severity=Severity.BLOCK)
