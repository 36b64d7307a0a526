"""A payment is made of tenders: cash by WeChat, and the parts of an insurance. What each received is all it can give back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

CASH = "wechat_cash"
INSURANCE = ("ins_gov", "ins_self", "ins_other")
ORDER_OF_USE = ("ins_gov", "ins_other", "ins_self", CASH)
"""The insurance's funds come first, then her own account there, cash is what is left."""
LABELS = {
    CASH: "微信支付",
    "ins_gov": "医保统筹",
    "ins_self": "医保个人账户",
    "ins_other": "医保其他",
}


@dataclass(frozen=True)
class Proven:
    """A part of which a provider says in its own number that it moved."""

    amount: int
    reference: str


@dataclass(frozen=True)
class Receipt:
    """What providers proved of one bill; `number` is the one to quote."""

    out_trade_no: str
    number: str
    parts: Mapping[str, Proven]
    paid_at: datetime | None

    @property
    def amounts(self) -> dict[str, int]:
        """By tender."""
        return {tender: part.amount for tender, part in self.parts.items()}


def take_back(amount: int, left: Mapping[str, int]) -> dict[str, int]:
    """How `amount` goes back: in the reverse of the order of use, from each tender no more than is left of it.

    `ValueError` when there is not so much. The parts are all positive and add up to `amount`: no fen is lost or made.
    """
    if amount < 0 or amount > sum(part for part in left.values() if part > 0):
        raise ValueError(f"cannot give back {amount} of {dict(left)}")
    parts, rest = {}, amount
    for tender in reversed(ORDER_OF_USE):
        part = min(rest, max(left.get(tender, 0), 0))
        if part:
            parts[tender] = part
        rest -= part
    return parts


def remaining(received: Mapping[str, int], given_back: Mapping[str, int]) -> dict[str, int]:
    """What is left of each tender."""
    return {tender: amount - given_back.get(tender, 0) for tender, amount in received.items()}
