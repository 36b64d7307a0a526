"""What may be moved. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
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


def shortages(
    wanted: Mapping[str, int], levels: Mapping[str, Level], names: Mapping[str, str]
) -> list[Issue]:
    """Every drug of which there is not enough, by name; drugs without a level are not counted."""
    return [
        Issue(f"items.{code}", "out_of_stock", f"{names.get(code, code)} 库存不足")
        for code, packs in sorted(wanted.items())
        if code in levels and levels[code].free < packs
    ]
