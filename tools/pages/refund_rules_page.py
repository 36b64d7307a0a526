"""docs/refund_rules.md: every version of the refund rules, rule by rule."""

from collections.abc import Iterator

from backend.payment.rulebook import RuleBook, books
from tools.pages.markdown import code, page, table

SUBJECTS = {"appointment": "诊查费", "prescription": "药费和配送费", "any": "任何账单"}


def build() -> dict[str, str]:
    """The document by its path."""
    introduction = (
        "What goes back when (practice.md 17), from `backend/payment/data/refund_rules_*.toml`. A refund is judged by the version "
        "in force on the day its bill was opened, and names version and rule. The share is rounded up to a whole fen; never more "
        "goes back than is left of the bill, tender by tender in the order of `backend.payment.tenders`. Where a rule names an "
        "approver, the refund waits for somebody other than who proposed it; the two deadlines ring on the refund desk. A refund "
        "has succeeded when the provider's receipt says so, and not before. Deadlines are clock time."
    )
    return {"docs/refund_rules.md": page("Refund rules", introduction, *map(_book, reversed(books())))}


def _book(book: RuleBook) -> Iterator[str]:
    times = book.cancellation
    yield f"## {book.version}, from {book.effective_from.isoformat()}"
    yield ""
    yield (
        f"A patient cancels in time until {times.cut_off_minutes} minutes before the start, and within {times.grace_minutes} minutes "
        f"of paying whatever the start. A doctor is late {times.doctor_late_minutes} minutes after the later of slot start and check-in."
    )
    yield ""
    rows = (
        (
            code(rule.id), code(rule.reason), SUBJECTS[rule.applies_to], rule.trigger, f"{rule.percent} %",
            f"{rule.approver} ({rule.approve_within_hours} h)" if rule.approver else "–",
            f"{rule.settle_within_hours} h" if rule.percent else "–", rule.words,
        )
        for rule in sorted(book.rule, key=lambda one: one.id)
    )  # fmt: skip
    yield from table(
        (
            "rule",
            "reason",
            "of",
            "trigger",
            "share",
            "approver, within",
            "receipt within",
            "what the patient reads",
        ),
        rows,
    )
