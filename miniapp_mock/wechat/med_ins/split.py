"""Who pays which part of a claim. INVENTED percentages, for a demonstration; no region pays like this.

甲 counts in full, 乙 after the patient has paid a tenth herself, 丙 and everything else not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from miniapp_mock.wechat.med_ins.bureau_wire import Line
from miniapp_mock.wechat.med_ins.insured import Insured

COUNTS = {"甲": 100, "乙": 90}
FUND = {"employee": 70, "resident": 55}
SUBSIDY = 10


@dataclass(frozen=True)
class Split:
    """Fen: pooled fund, personal account, other funds, what is left to pay in cash. They add up to the claim."""

    gov: int
    self_: int
    other: int
    cash: int


def split(lines: Sequence[Line], who: Insured, account_fen: int, *, pays: str = "") -> Split:
    """`pays`: `all` or `none` instead of the percentages. Broken fen stay with the patient's cash."""
    total = sum(line.amount for line in lines)
    if pays == "none":
        return Split(0, 0, 0, total)
    if pays == "all":
        return Split(total, 0, 0, 0)
    counts = sum(line.amount * COUNTS.get(line.grade, 0) // 100 for line in lines)
    gov = counts * FUND[who.kind] // 100
    other = counts * SUBSIDY // 100 if who.subsidised else 0
    account = min(max(account_fen, 0), counts - gov - other) if who.kind == "employee" else 0
    return Split(gov, account, other, total - gov - account - other)
