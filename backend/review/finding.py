"""Making findings: id, category, gravity, version and source come from the rule's row."""

from backend.review.draft import Finding, Severity
from backend.review.rulebook import rulebook

RULES_VERSION = "2026.2"


def finding(
    rule: str, words: str, item: int | None = None, *, severity: Severity | None = None, source: str = ""
) -> Finding:
    """A finding of the rule with this id; a row of data may be graver or milder and name its own source."""
    row = rulebook().rules[rule]
    return Finding(
        rule, row.version, row.category, severity or row.severity, words, source or row.source, item
    )
