"""Runs every rule over a draft and returns every finding."""

from collections.abc import Mapping, Sequence

from backend.formulary.facts import Drug
from backend.review import appropriateness, form, legality
from backend.review.draft import Circumstances, Draft, Finding, PatientFacts, Severity
from backend.review.finding import finding

REVIEW_DOWN = "outside.review_down"
AT_HOME = Circumstances()
"""The hospital's own pharmacy, and nothing known of the prescriber."""
_PLACES = {severity: place for place, severity in enumerate(Severity)}


def review(
    draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug], at: Circumstances = AT_HOME
) -> list[Finding]:
    """All findings, worst first. Unknown drugs are a finding and take part in nothing else.

    `drugs` are those of the lines and of what the patient still takes, by code.
    """
    found = [*legality.check(draft, patient, drugs, at), *form.check(draft, patient, drugs)]
    found += appropriateness.check(draft, patient, drugs)
    return worst_first(found)


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """By gravity, then by line; each said once."""
    return sorted(dict.fromkeys(findings), key=lambda one: (_PLACES[one.severity], one.item or 0))


def unreviewed(words: str) -> Finding:
    """The outside review server gave no answer: the pharmacist is told, the doctor is not held up."""
    return finding(REVIEW_DOWN, words)


def blocked(findings: Sequence[Finding]) -> bool:
    """Whether anything stops the signature."""
    return any(one.severity is Severity.BLOCK for one in findings)


def needs_reason(findings: Sequence[Finding]) -> bool:
    """Whether the doctor has to write why."""
    return any(one.severity is Severity.REASON and one.rule != REVIEW_DOWN for one in findings)
