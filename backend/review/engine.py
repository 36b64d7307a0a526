"""Runs every rule over a draft and returns every finding."""

from collections.abc import Mapping, Sequence

from backend.formulary.facts import Drug
from backend.review import appropriateness, form, legality
from backend.review.draft import Draft, Finding, PatientFacts, Severity


def review(draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug]) -> list[Finding]:
    """All findings, worst first. Unknown drugs are a finding and take part in nothing else."""
    found = [*legality.check(draft, patient, drugs), *form.check(draft, patient, drugs)]
    found += appropriateness.check(draft, patient, drugs)
    order = list(Severity)
    return sorted(found, key=lambda finding: (order.index(finding.severity), finding.item or 0))


def blocked(findings: Sequence[Finding]) -> bool:
    """Whether anything stops the signature."""
    return any(finding.severity is Severity.BLOCK for finding in findings)


def needs_reason(findings: Sequence[Finding]) -> bool:
    """Whether the doctor has to write why."""
    return any(finding.severity is Severity.REASON for finding in findings)
