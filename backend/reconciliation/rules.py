"""Three books of one day against one another, entry by entry, to the fen. Pure: the order of entries does not matter.

The key of an entry is what it is (money in, money back) and the provider's number of it: all books have that one.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from foundation.canonical import canonical
from foundation.clock import LOCAL

READY = time(10, 0)
"""From about when WeChat Pay has the bill of the day before."""
NO_BILL_IS_NO_TRADE = timedelta(hours=4)
"""After `READY`: a day with money of ours and without a bill is asked about so long before that is a difference."""
FEE_PER_CENT = 1
"""The provider gives its fee back with a refund, and books the rest: no fee is larger."""


class Money(StrEnum):
    """What an entry is."""

    CHARGE = "charge"
    REFUND = "refund"


class Kind(StrEnum):
    """What is wrong with an entry."""

    MISSING_OURS = "missing_ours"
    MISSING_PROVIDER = "missing_provider"
    AMOUNT_PROVIDER = "amount_provider"
    MISSING_FLOW = "missing_flow"
    UNKNOWN_FLOW = "unknown_flow"
    AMOUNT_FLOW = "amount_flow"
    MISSING_HOSPITAL = "missing_hospital"
    UNKNOWN_HOSPITAL = "unknown_hospital"
    AMOUNT_HOSPITAL = "amount_hospital"
    TWICE = "twice"
    BILL_SUMS = "bill_sums"


WORDS: Mapping[Kind, str] = {
    Kind.MISSING_OURS: "微信支付有，本院平台没有",
    Kind.MISSING_PROVIDER: "本院平台有，微信支付账单没有",
    Kind.AMOUNT_PROVIDER: "与微信支付账单金额不符",
    Kind.MISSING_FLOW: "资金账单没有这笔",
    Kind.UNKNOWN_FLOW: "资金账单多出这笔",
    Kind.AMOUNT_FLOW: "与资金账单金额不符",
    Kind.MISSING_HOSPITAL: "医院信息系统没有这笔",
    Kind.UNKNOWN_HOSPITAL: "医院信息系统多出这笔",
    Kind.AMOUNT_HOSPITAL: "与医院信息系统金额不符",
    Kind.TWICE: "同一笔出现两次",
    Kind.BILL_SUMS: "账单合计与明细不符",
}


class Resolution(StrEnum):
    """How a person settles a difference."""

    CORRECTED_OURS = "corrected_ours"
    CORRECTED_HOSPITAL = "corrected_hospital"
    EXPLAINED_BY_PROVIDER = "explained_by_provider"
    WRITTEN_OFF = "written_off"


RESOLUTIONS: Mapping[Resolution, str] = {
    Resolution.CORRECTED_OURS: "本院平台已更正",
    Resolution.CORRECTED_HOSPITAL: "医院信息系统已更正",
    Resolution.EXPLAINED_BY_PROVIDER: "微信支付已说明原因",
    Resolution.WRITTEN_OFF: "核销差额",
}


@dataclass(frozen=True)
class Ours:
    """What providers' receipts have proven to us on the day. `cash` went through WeChat Pay under `number`.

    `total` is the whole bill or refund as the hospital has it under `number`, cash and insurance together; 0 where that has
    another number or another day. `own` is our number; `in_hospital` says that the hospital is to have it, too.
    """

    money: Money
    number: str
    own: str
    cash: int
    total: int
    in_hospital: bool


@dataclass(frozen=True)
class Traded:
    """A line of the trade bill. A refund is in the bill of the day on which it was accepted.

    `settled` is the amount without vouchers, which is what moves on the account.
    """

    money: Money
    number: str
    own: str
    amount: int
    settled: int


@dataclass(frozen=True)
class Moved:
    """A line of the fund-flow bill about a trade, without its fee; a refund stands on the day on which it succeeded."""

    money: Money
    number: str
    own: str
    amount: int


@dataclass(frozen=True)
class Booked:
    """What the hospital has."""

    money: Money
    number: str
    amount: int


@dataclass(frozen=True)
class Books:
    """All that is compared. `refunds` are our refunds by our own number, of any day, that have not been given up.

    `sums` are what the bills say about themselves wrongly: (which sum, said, counted).
    """

    ours: Sequence[Ours]
    traded: Sequence[Traded]
    moved: Sequence[Moved]
    booked: Sequence[Booked]
    refunds: Mapping[str, int]
    sums: Sequence[tuple[str, int, int]] = ()


@dataclass(frozen=True)
class Difference:
    """`mine` is what it should be by our book (or, on the account, by the bill), `theirs` what it is; fen, None for nothing."""

    kind: Kind
    money: Money
    number: str
    own: str
    mine: int | None
    theirs: int | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same difference in the next run."""
        return self.kind, self.money, self.number


E = TypeVar("E", Ours, Traded, Moved, Booked)


def compare(books: Books) -> list[Difference]:
    """Every difference, once, in a fixed order."""
    found: list[Difference] = []
    ours = _by_key(books.ours, found, lambda one: one.total)
    traded = _by_key(books.traded, found, lambda one: one.amount)
    moved = _by_key(books.moved, found, lambda one: one.amount)
    booked = _by_key(books.booked, found, lambda one: one.amount)
    found += _with_the_bill(ours, traded, books.refunds)
    found += _with_the_account(ours, traded, moved)
    found += _with_the_hospital(ours, booked)
    found += [
        Difference(Kind.BILL_SUMS, Money.CHARGE, what, "", counted, said)
        for what, said, counted in books.sums
    ]
    unique = {one.key: one for one in sorted(found, key=_order, reverse=True)}
    return sorted(unique.values(), key=_order)


def _order(one: Difference) -> tuple[str, ...]:
    return one.kind, one.money, one.number, one.own, str(one.mine), str(one.theirs)


Key = tuple[Money, str]


def _by_key(entries: Sequence[E], found: list[Difference], amount: Callable[[E], int]) -> dict[Key, E]:
    """Entries by their key; one that a book has twice is a difference, and the larger one is compared."""
    ordered = sorted(entries, key=lambda one: (one.money, one.number, amount(one)))
    times = Counter((one.money, one.number) for one in ordered)
    made = {(one.money, one.number): one for one in ordered}
    for key, count in times.items():
        if count > 1:
            one = made[key]
            both = sum(amount(other) for other in ordered if (other.money, other.number) == key)
            found.append(
                Difference(Kind.TWICE, one.money, one.number, getattr(one, "own", ""), amount(one), both)
            )
    return made


def _with_the_bill(
    ours: Mapping[Key, Ours], traded: Mapping[Key, Traded], refunds: Mapping[str, int]
) -> Iterator[Difference]:
    """Charges both ways; of refunds those in the bill, each against the refund of ours it names, whatever its day."""
    for key, mine in ours.items():
        if mine.money is Money.CHARGE and mine.cash and key not in traded:
            yield Difference(Kind.MISSING_PROVIDER, mine.money, mine.number, mine.own, mine.cash, None)
    for key, theirs in traded.items():
        if theirs.money is Money.REFUND:
            amount = refunds.get(theirs.own)
        else:
            amount = ours[key].cash if key in ours else None
        if amount is None:
            yield Difference(Kind.MISSING_OURS, theirs.money, theirs.number, theirs.own, None, theirs.amount)
        elif amount != theirs.amount:
            yield Difference(
                Kind.AMOUNT_PROVIDER, theirs.money, theirs.number, theirs.own, amount, theirs.amount
            )


def _with_the_account(
    ours: Mapping[Key, Ours], traded: Mapping[Key, Traded], moved: Mapping[Key, Moved]
) -> Iterator[Difference]:
    """What the bill says was paid has come in; what we believe to be refunded has gone out, and nothing else has.

    A charge whose amount in the bill is wrong (which is a difference already) may have come in as we know it.
    """
    expected: dict[Key, tuple[str, int, int]] = {
        key: (one.own, one.settled, _paid(ours.get(key), one))
        for key, one in traded.items()
        if one.money is Money.CHARGE
    }
    expected |= {
        key: (one.own, one.cash, one.cash)
        for key, one in ours.items()
        if one.money is Money.REFUND and one.cash
    }
    for (money, number), (own, amount, other) in expected.items():
        flow = moved.get((money, number))
        if flow is None:
            yield Difference(Kind.MISSING_FLOW, money, number, own, amount, None)
        elif flow.amount != other and not amount - _fee(money, amount) <= flow.amount <= amount:
            yield Difference(Kind.AMOUNT_FLOW, money, number, own, amount, flow.amount)
    for key, flow in moved.items():
        if key not in expected:
            yield Difference(Kind.UNKNOWN_FLOW, flow.money, flow.number, flow.own, None, flow.amount)


def _paid(mine: Ours | None, bill: Traded) -> int:
    return bill.settled if mine is None or mine.cash == bill.amount else mine.cash


def _fee(money: Money, amount: int) -> int:
    """The most that the provider's fee can be of a refund: it comes back with it, and only the rest is booked."""
    return -(-amount * FEE_PER_CENT // 100) if money is Money.REFUND else 0


def _with_the_hospital(ours: Mapping[Key, Ours], booked: Mapping[Key, Booked]) -> Iterator[Difference]:
    for key, mine in ours.items():
        theirs = booked.get(key)
        if theirs is None and mine.in_hospital:
            yield Difference(Kind.MISSING_HOSPITAL, mine.money, mine.number, mine.own, mine.total, None)
        elif theirs is not None and theirs.amount != mine.total:
            yield Difference(
                Kind.AMOUNT_HOSPITAL, mine.money, mine.number, mine.own, mine.total, theirs.amount
            )
    for key, theirs in booked.items():
        if key not in ours:
            yield Difference(Kind.UNKNOWN_HOSPITAL, theirs.money, theirs.number, "", None, theirs.amount)


def due_at(day: date) -> datetime:
    """When the bill of `day` is first asked for."""
    return datetime.combine(day + timedelta(days=1), READY, LOCAL)


def digest(value: Any) -> str:
    """SHA-256 over the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def total(entries: Iterable[tuple[Money, int]], money: Money) -> int:
    """The sum of one kind, in fen."""
    return sum(amount for kind, amount in entries if kind is money)


def csv_cell(value: object) -> str:
    """A cell for Excel: quoted, and never a formula whatever it begins with (OWASP, CSV injection)."""
    text = str(value)
    if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _number(text):
        text = f"'{text}"
    quoted = text.replace('"', '""')
    return f'"{quoted}"'


def _number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal() and text.isascii()


def csv_file(rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with the mark by which Excel knows it."""
    lines = "".join(",".join(csv_cell(cell) for cell in row) + "\r\n" for row in rows)
    return b"\xef\xbb\xbf" + lines.encode()
