"""Books that agree, and ways to spoil them: what a test plants is what `compare` must find."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st

from backend.reconciliation.rules import Booked, Books, Kind, Money, Moved, Ours, Traded


@dataclass(frozen=True)
class Fact:
    """A charge or refund as it really was."""

    money: Money
    number: str
    amount: int
    cash: int
    in_hospital: bool


def books_of(facts: list[Fact]) -> Books:
    """All books as they should be: refunds accepted and done on the day, fees given back with them."""
    paid = [fact for fact in facts if fact.cash]
    return Books(
        ours=[Ours(f.money, f.number, f"o{f.number}", f.cash, f.amount, f.in_hospital) for f in facts],
        traded=[Traded(f.money, f.number, f"o{f.number}", f.cash, f.cash) for f in paid],
        moved=[Moved(f.money, f.number, f"o{f.number}", f.cash - fee(f)) for f in paid],
        booked=[Booked(f.money, f.number, f.amount) for f in facts if f.in_hospital],
        refunds={f"o{f.number}": f.cash for f in facts if f.money is Money.REFUND},
    )


def fee(fact: Fact) -> int:
    """0.6 % of a refund."""
    return (fact.cash * 6 + 500) // 1000 if fact.money is Money.REFUND else 0


@st.composite
def facts(draw: st.DrawFn, least: int = 0, most: int = 12) -> list[Fact]:
    """Charges and refunds, some partly or wholly paid by others, some never told to the hospital."""
    made = []
    for number in range(draw(st.integers(least, most))):
        money = draw(st.sampled_from(Money))
        amount = draw(st.integers(2, 500_000))
        cash = draw(st.sampled_from([amount, amount, amount // 2, 0])) if money is Money.CHARGE else amount
        made.append(Fact(money, f"{money[0]}{number}", amount, cash, draw(st.booleans())))
    return made


E = TypeVar("E", Traded, Moved, Booked)
Spoil = Callable[[Books, Fact], Books]


def _without(entries: Sequence[E], fact: Fact) -> list[E]:
    return [one for one in entries if (one.money, one.number) != (fact.money, fact.number)]


def _off(entries: Sequence[E], fact: Fact, by: int) -> list[E]:
    return [
        replace(one, amount=one.amount + by) if (one.money, one.number) == (fact.money, fact.number) else one
        for one in entries
    ]


def spoils(fact: Fact) -> dict[Kind, Spoil]:
    """What can be done to this fact, by the one difference it must cause."""
    made: dict[Kind, Spoil] = {}
    charge = fact.money is Money.CHARGE
    if fact.cash:
        made[Kind.AMOUNT_PROVIDER] = lambda books, f: replace(books, traded=_off(books.traded, f, 1))
        made[Kind.MISSING_FLOW] = lambda books, f: replace(books, moved=_without(books.moved, f))
        made[Kind.TWICE] = lambda books, f: replace(
            books,
            traded=[
                *books.traded,
                *(one for one in books.traded if (one.money, one.number) == (f.money, f.number)),
            ],
        )
        if charge:
            made[Kind.AMOUNT_FLOW] = lambda books, f: replace(books, moved=_off(books.moved, f, -1))
        else:
            made[Kind.AMOUNT_FLOW] = lambda books, f: replace(books, moved=_off(books.moved, f, fee(f) + 1))
            made[Kind.MISSING_OURS] = lambda books, f: replace(
                books, refunds={own: amount for own, amount in books.refunds.items() if own != f"o{f.number}"}
            )
    if fact.in_hospital:
        made[Kind.MISSING_HOSPITAL] = lambda books, f: replace(books, booked=_without(books.booked, f))
        made[Kind.AMOUNT_HOSPITAL] = lambda books, f: replace(books, booked=_off(books.booked, f, -1))
    else:
        made[Kind.AMOUNT_HOSPITAL] = lambda books, f: replace(
            books, booked=[*books.booked, Booked(f.money, f.number, f.amount + 1)]
        )
    return made
