"""Making findings with the version of the rule set."""

from backend.review.draft import Category, Finding, Severity

RULES_VERSION = "2026.1"


def finding(
    rule: str, category: Category, severity: Severity, words: str, source: str, item: int | None = None
) -> Finding:
    """A finding of the current rule set."""
    return Finding(rule, RULES_VERSION, category, severity, words, source, item)
