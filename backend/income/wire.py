"""Structs of the figures."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.income.queries import Income


class Month(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which month, `2026-11`; this one when it is left out."""

    month: Annotated[str, Meta(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")] = ""

    def day(self, today: date) -> date:
        """A day of it."""
        return date.fromisoformat(f"{self.month}-01") if self.month else today


class FeesOfADay(msgspec.Struct, frozen=True):
    """Fen."""

    day: date
    visits: int
    received: int
    refunded: int


class IncomeView(msgspec.Struct, frozen=True):
    """Visit fees of a month, newest day first; fen."""

    month: str
    visits: int
    received: int
    refunded: int
    net: int
    days: list[FeesOfADay]


def income_view(income: Income, day: date) -> IncomeView:
    """From the figures."""
    days = [
        FeesOfADay(one, fees.visits, fees.received, fees.refunded)
        for one, fees in sorted(income.days.items(), reverse=True)
    ]
    return IncomeView(
        month=f"{day:%Y-%m}", visits=sum(one.visits for one in days), received=income.received, refunded=income.refunded,
        net=income.received - income.refunded, days=days,
    )  # fmt: skip
