"""Findings as cards, and cards as findings. Pure."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from backend.cds_hooks.wire import Card, CardSource, Coding
from backend.outside import review_server
from backend.review.draft import Finding, Severity
from backend.review.finding import finding
from backend.review.rulebook import rulebook

RULES = "urn:internet-hospital:review-rule"
REASONS = "urn:internet-hospital:override-reason"
INDICATORS = {Severity.BLOCK: "critical", Severity.REASON: "warning", Severity.INFO: "info"}
SEVERITIES = {
    "block": Severity.BLOCK,
    "reason": Severity.REASON,
    "needs-reason": Severity.REASON,
    "info": Severity.INFO,
}
WORDS = {Severity.BLOCK: "block", Severity.REASON: "needs-reason", Severity.INFO: "info"}
SUMMARY = 139
OVERRIDES = [
    Coding(REASONS, "benefit", "获益大于风险，已告知患者"),
    Coding(REASONS, "monitored", "已在监测下使用"),
    Coding(REASONS, "tolerated", "患者既往耐受"),
    Coding(REASONS, "other", "其他（请说明）"),
]
"""Offered where a doctor may go on with a reason; a block has none."""


def cards(findings: Sequence[Finding], instance: UUID) -> list[Card]:
    """One card for each finding; the same call gives the same ids."""
    return [_card(one, instance) for one in findings]


def _card(one: Finding, instance: UUID) -> Card:
    title = rulebook().rules[one.rule].title
    extension = {
        "rule": one.rule, "version": one.version, "severity": WORDS[one.severity], "line": one.item,
        "category": one.category.value, "evidence": one.source,
    }  # fmt: skip
    indicator = INDICATORS[one.severity]
    assert indicator in ("info", "warning", "critical")
    return Card(
        uuid=uuid5(instance, f"{one.rule}:{one.item}:{one.message}"), summary=one.message[:SUMMARY],
        detail=f"{title}\n\n{one.message}\n\n依据：{one.source}", indicator=indicator,  # type: ignore[arg-type]
        source=CardSource(one.source, Coding(RULES, one.rule, title)),
        override_reasons=OVERRIDES if one.severity is Severity.REASON else [],
        extension={review_server.EXTENSION: extension},
    )  # fmt: skip


def findings_of(found: Sequence[review_server.Card], lines: int) -> list[Finding]:
    """Another server's cards: only its extension can block, a critical card without one asks for a reason."""
    return [_finding(card, lines) for card in found]


def _finding(card: review_server.Card, lines: int) -> Finding:
    said = card.extension.review
    gravity = {"critical": Severity.REASON, "warning": Severity.REASON, "info": Severity.INFO}[card.indicator]
    if said is not None and said.severity is not None:
        gravity = SEVERITIES[said.severity]
    line = said.line if said is not None and said.line is not None and 0 <= said.line < lines else None
    name = f"{card.source.label}（{said.rule} {said.version}）" if said and said.rule else card.source.label
    return finding("outside.finding", card.summary[:300], line, severity=gravity, source=name[:200])
