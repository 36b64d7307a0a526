"""What may be moved. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from foundation.errors import Issue


class Kind(StrEnum):
    """One move of packs."""

    COUNT_IN = "count_in"
    RESERVE = "reserve"
    RELEASE = "release"
    ISSUE = "issue"


@dataclass(frozen=True)
class Level:
    """Packs on the shelf, and how many of them are kept for orders."""

    on_hand: int
    reserved: int

    @property
    def free(self) -> int:
        """What another order may still have."""
        return self.on_hand - self.reserved


def after(level: Level, kind: Kind, packs: int) -> Level:
    """The level after a move; `ValueError` when it would not add up."""
    hand, kept = level.on_hand, level.reserved
    if kind is Kind.COUNT_IN:
        hand += packs
    elif kind is Kind.RESERVE:
        kept += packs
    elif kind is Kind.RELEASE:
        kept -= packs
    else:
        hand, kept = hand - packs, kept - packs
    if not 0 <= kept <= hand:
        raise ValueError(f"{kind} of {packs} from {level}")
    return Level(hand, kept)


@dataclass(frozen=True)
class Priced:
    """A drug of our catalogue with its price in fen."""

    code: str
    name: str
    amount: int


def price_differences(ours: Sequence[Priced], theirs: Mapping[str, int]) -> list[str]:
    """One sentence for each drug that the hospital's own list asks another price for (fen), or does not have."""
    found = []
    for one in ours:
        asked = theirs.get(one.code)
        if asked is None:
            found.append(f"{one.name}（{one.code}）院内价目没有")
        elif asked != one.amount:
            found.append(f"{one.name}（{one.code}）本院线上 {_yuan(one.amount)} 元，院内 {_yuan(asked)} 元")
    return found


def fee_differences(ours: Mapping[str, Sequence[Priced]], theirs: Mapping[str, int]) -> list[str]:
    """One sentence for each service of the hospital's list whose price none of ours has; what it does not list is not compared."""
    found = []
    for code, fees in sorted(ours.items()):
        asked = theirs.get(code)
        if asked is not None and fees and asked not in {one.amount for one in fees}:
            listed = "、".join(f"{one.name} {_yuan(one.amount)} 元" for one in fees)
            found.append(f"院内价目 {code} 为 {_yuan(asked)} 元，线上：{listed}")
    return found


def stock_differences(
    levels: Mapping[str, Level], theirs: Mapping[str, int], names: Mapping[str, str]
) -> list[str]:
    """One sentence for each drug that may be ordered here while the hospital's pharmacy says that it has none of it."""
    return [
        f"{names.get(code, code)}（{code}）线上可订 {level.free} 盒，院内药房为 0"
        for code, level in sorted(levels.items())
        if level.free > 0 and theirs.get(code) == 0
    ]


def told(differences: Sequence[str], most: int = 5) -> str:
    """A sentence for the desk: how many, and the first of them."""
    rest = f"；等共 {len(differences)} 种" if len(differences) > most else ""
    return "；".join(differences[:most]) + rest


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


STALE = timedelta(hours=24)
"""What was read from the hospital before that is not shown to anybody any more."""


def fresh(read_at: datetime, now: datetime) -> bool:
    """Whether a count may be shown."""
    return now - read_at < STALE


def shortages(
    wanted: Mapping[str, int], levels: Mapping[str, Level], names: Mapping[str, str]
) -> list[Issue]:
    """Every drug of which there is not enough, by name; drugs without a level are not counted."""
    return [
        Issue(f"items.{code}", "out_of_stock", f"{names.get(code, code)} 库存不足")
        for code, packs in sorted(wanted.items())
        if code in levels and levels[code].free < packs
    ]
