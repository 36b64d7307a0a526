"""What adds up to what, and what goes back when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from backend.payment.rulebook import RefundReason, RefundRule, book_on, books, rules_by_reason
from foundation.errors import Issue

__all__ = [
    "REFUND_RULES", "TENDERS", "Line", "RefundReason", "RefundRule", "balance", "next_look", "next_refund_look", "rule_for",
    "tender_issues", "total",
]  # fmt: skip

LOOKS = (5, 30, 60, 180, 300, 600, 1800)
"""Seconds after an order was placed at which WeChat Pay advises to ask what became of it (支付回调和查单实现指引)."""
REFUND_LOOKS = (60, 120, 180, 240, 300, 600, 1200, 2400)
"""The same for a refund: every minute at first, after five minutes after 5, 10 and 20 more."""
SELDOM = 1800
"""Seconds between questions from then on."""

TENDERS = ("wechat_cash", "ins_gov", "ins_self", "ins_other")


REFUND_RULES: Mapping[RefundReason, RefundRule] = rules_by_reason(books()[-1])
"""The newest rules, for their words; what goes back is judged by the rules of the bill's day: `rule_for`."""


def rule_for(reason: RefundReason, day: date) -> tuple[RefundRule, str]:
    """The rule for a bill opened on `day`, and the version it stands in."""
    book = book_on(day)
    return book.of(reason), book.version


def next_look(age: float) -> float:
    """Seconds until a silent order of this age is asked about again."""
    return next((look - age for look in LOOKS if look > age), SELDOM)


def next_refund_look(age: float) -> float:
    """Seconds until a refund of this age is asked about again."""
    return next((look - age for look in REFUND_LOOKS if look > age), SELDOM)


@dataclass(frozen=True)
class Line:
    """A fee line as priced: `unit` and `amount` in fen, from one version of the price list."""

    code: str
    name: str
    unit: int
    quantity: int
    version: str

    @property
    def amount(self) -> int:
        """Unit price times quantity."""
        return self.unit * self.quantity


def total(lines: Sequence[Line]) -> int:
    """Sum in fen."""
    return sum(line.amount for line in lines)


def tender_issues(amount: int, tenders: Mapping[str, int]) -> list[Issue]:
    """Tenders are known, not negative, and add up to the amount."""
    issues = [
        Issue(f"tenders.{name}", "unknown_tender", "不认识的支付方式")
        for name in tenders
        if name not in TENDERS
    ]
    issues += [
        Issue(f"tenders.{name}", "negative", "金额不能为负") for name, part in tenders.items() if part < 0
    ]
    if sum(tenders.values()) != amount:
        issues.append(Issue("tenders", "does_not_add_up", "各项金额之和与总额不符"))
    return issues


def balance(events: Sequence[tuple[str, int]]) -> int:
    """What we hold of a payment: receipts minus refunds that the provider has proven."""
    return sum(
        amount if kind == "received" else -amount
        for kind, amount in events
        if kind in ("received", "refunded")
    )
