"""What a price list must hold, what changes between two, when one may begin. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.money import yuan
from foundation.canonical import canonical
from foundation.errors import Issue

FOLLOW_UP = "visit.follow_up"
FOLLOW_UP_SENIOR = "visit.follow_up.senior"
CONSULTATION = "visit.consultation"
CONSULTATION_SENIOR = "visit.consultation.senior"
"""A hospital whose list lacks these offers no health consultations."""
DELIVERY = "delivery.courier"
NEEDED = {
    FOLLOW_UP: "互联网复诊诊查费",
    FOLLOW_UP_SENIOR: "互联网复诊诊查费（副主任及以上医师）",
    DELIVERY: "药品配送费",
}
"""What the hospital charges by itself: a list without one of them cannot come into force."""
SENIOR = ("231", "232")
"""Titles of chief and associate chief physicians."""
MOST = 10_000_00
"""No service here costs more, in fen: a slip of the keyboard does."""
FAR = timedelta(days=366)


@dataclass(frozen=True)
class Price:
    """One line of a list; `amount` in fen."""

    code: str
    name: str
    amount: int
    basis: str = ""


@dataclass(frozen=True)
class Change:
    """What becomes of one code: `before` or `after` is None where a list does not have it."""

    code: str
    before: Price | None
    after: Price | None

    @property
    def kind(self) -> str:
        """added, removed, price (the amount differs), words (only name or basis do) or same."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        if self.before.amount != self.after.amount:
            return "price"
        return "same" if self.before == self.after else "words"


def difference(before: Iterable[Price], after: Iterable[Price]) -> list[Change]:
    """Code by code, what differs first."""
    old, new = {one.code: one for one in before}, {one.code: one for one in after}
    found = [Change(code, old.get(code), new.get(code)) for code in sorted(old.keys() | new.keys())]
    return sorted(found, key=lambda change: change.kind == "same")


def price_issues(price: Price) -> list[Issue]:
    """What is wrong with one line."""
    issues = []
    if not 0 <= price.amount <= MOST:
        issues.append(Issue("yuan", "out_of_range", f"价格应在 0 到 {yuan(MOST)} 元之间"))
    return issues


def list_issues(prices: Sequence[Price]) -> list[Issue]:
    """What keeps a list from coming into force."""
    there = {price.code for price in prices}
    return [
        Issue("items", "needed_price_missing", f"缺少必需的项目：{name}")
        for code, name in NEEDED.items()
        if code not in there
    ]


def day_issues(day: date, today: date, taken: Iterable[date]) -> list[Issue]:
    """When a list may begin: from tomorrow on, so that nobody's price changes while she pays; one list a day."""
    if day <= today:
        return [Issue("effective_on", "too_early", "生效日期最早为明天")]
    if day > today + FAR:
        return [Issue("effective_on", "too_late", "生效日期不能超过一年")]
    if day in set(taken):
        return [Issue("effective_on", "taken", "当天已有另一版价格表生效")]
    return []


def next_version(year: int, known: Iterable[str]) -> str:
    """`2026.4` after `2026.3`; every year begins at 1."""
    numbers = [int(tail) for head, _, tail in (one.partition(".") for one in known) if head == str(year)]
    return f"{year}.{max(numbers, default=0) + 1}"


def digest(version: str, prices: Iterable[Price]) -> str:
    """SHA-256 over version and lines in the order of their codes: what an approver saw, and what is published."""
    lines = [[one.code, one.name, one.amount, one.basis] for one in sorted(prices, key=lambda one: one.code)]
    return hashlib.sha256(canonical({"version": version, "prices": lines})).hexdigest()


def visit_price_code(title_code: str) -> str:
    """Which price a visit of a doctor with this title has: chief and associate chief physicians cost more."""
    return FOLLOW_UP_SENIOR if title_code in SENIOR else FOLLOW_UP


def consultation_price_code(title_code: str) -> str:
    """The same for a health consultation, which may be free."""
    return CONSULTATION_SENIOR if title_code in SENIOR else CONSULTATION
