"""What is billed, and which step comes next. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.outside.e_bill import BillItem
from backend.outside.insurance import Split

VISIT, OTHER = "诊察费", "其他费用（配送）"
WESTERN, PATENT = "西药费", "中成药费"
PATENT_CLASS = "18"
"""How classes of Chinese patent medicines begin (Tianjin's drug classes)."""


@dataclass(frozen=True)
class Fee:
    """A line of the bill by its category on the e-bill: a drug is not named there."""

    category: str
    amount: int


class Step(StrEnum):
    """What to do with the bill of a payment."""

    NOTHING = "nothing"
    WANT = "want"
    ISSUE = "issue"
    DROP = "drop"
    REVERSE = "reverse"


def drug_category(tj_class: str) -> str:
    """西药费 or 中成药费."""
    return PATENT if tj_class.startswith(PATENT_CLASS) else WESTERN


def items(fees: Sequence[Fee], net: int) -> list[BillItem]:
    """Categories in the order of the bill, adding up to `net`: what was refunded is taken from the last ones first."""
    sums: dict[str, int] = {}
    for fee in fees:
        sums[fee.category] = sums.get(fee.category, 0) + fee.amount
    gone = sum(sums.values()) - net
    for category in reversed(list(sums)):
        part = min(gone, sums[category])
        sums[category] -= part
        gone -= part
    return [BillItem(category, amount) for category, amount in sums.items() if amount]


def net_split(tenders: Mapping[str, int], refunded: Mapping[str, int]) -> Split:
    """Who paid what is left after refunds that have succeeded."""
    left = {tender: amount - refunded.get(tender, 0) for tender, amount in tenders.items()}
    return Split(
        left.get("ins_gov", 0), left.get("ins_self", 0), left.get("ins_other", 0), left.get("wechat_cash", 0)
    )


def next_step(net: Split, live: Split | None, *, issued: bool) -> Step:
    """`live` is what stands on the bill that is wanted or issued, None when there is none.

    A bill is reversed only when money has provably gone back: `net` counts refunds that have succeeded and no others.
    """
    if live is None:
        return Step.WANT if net.total > 0 else Step.NOTHING
    if live == net:
        return Step.NOTHING if issued else Step.ISSUE
    return Step.REVERSE if issued else Step.DROP
