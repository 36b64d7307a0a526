"""The refund rules as data (practice.md 17): versions in TOML files, read and checked whole before anything runs. Pure.

A rule names trigger, share, deadline and approver. A book is in force from a day on; the book of the day on which a bill
was opened judges its refunds, whatever was published since.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class RefundReason(StrEnum):
    """Why money goes back: the triggers that the code knows. What each of them gives back is data."""

    PATIENT_CANCELLED = "patient_cancelled"
    PATIENT_CANCELLED_LATE = "patient_cancelled_late"
    NO_SHOW = "no_show"
    DOCTOR_LATE = "doctor_late"
    DECLINED = "declined"
    NOT_A_FOLLOW_UP = "not_a_follow_up"
    NOBODY_ACCEPTED = "nobody_accepted"
    DOCTOR_CANCELLED = "doctor_cancelled"
    REFERRED_BEFORE_ADVICE = "referred_before_advice"
    REFERRED_AFTER_ADVICE = "referred_after_advice"
    PAID_AFTER_EXPIRY = "paid_after_expiry"
    OUT_OF_STOCK = "out_of_stock"
    PRESCRIPTION_EXPIRED = "prescription_expired"
    PRESCRIPTION_CANCELLED = "prescription_cancelled"
    UNDELIVERED = "undelivered"
    REFUSED_BY_RECEIVER = "refused_by_receiver"
    FAULTY_DRUG = "faulty_drug"
    BY_AGREEMENT = "by_agreement"


class RuleError(Exception):
    """The rules cannot be used; the message names version and rule."""


Hours = Annotated[int, Meta(ge=1, le=24 * 30)]
Minutes = Annotated[int, Meta(ge=0, le=24 * 60)]


class RefundRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`percent` of the bill goes back; `approver` is a role, empty when no person has to agree; `words` is what the patient reads."""

    id: Annotated[str, Meta(pattern=r"^[A-Z]\d{2}$")]
    reason: RefundReason
    applies_to: Literal["appointment", "prescription", "any"]
    trigger: Annotated[str, Meta(min_length=4, max_length=60)]
    percent: Annotated[int, Meta(ge=0, le=100)]
    settle_within_hours: Hours
    words: Annotated[str, Meta(min_length=4, max_length=40)]
    approver: Literal["", "clerk", "admin"] = ""
    approve_within_hours: Hours | None = None

    def share(self, amount: int) -> int:
        """How many of `amount` fen go back, a broken fen in the patient's favour."""
        return -(-amount * self.percent // 100)


class Cancellation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The times that tell one case of a patient's cancellation from another."""

    cut_off_minutes: Minutes
    grace_minutes: Minutes
    doctor_late_minutes: Minutes

    def reason(
        self, *, now: datetime, starts_at: datetime, paid_at: datetime | None, waiting_since: datetime | None
    ) -> RefundReason:
        """Which case it is when the patient cancels `now`; `waiting_since` is her check-in, if she has."""
        if self.doctor_is_late(now=now, starts_at=starts_at, waiting_since=waiting_since):
            return RefundReason.DOCTOR_LATE
        if now <= self.free_until(starts_at=starts_at, paid_at=paid_at):
            return RefundReason.PATIENT_CANCELLED
        return RefundReason.PATIENT_CANCELLED_LATE

    def free_until(self, *, starts_at: datetime, paid_at: datetime | None) -> datetime:
        """The cut-off: so long before the start, but never sooner than the grace after paying."""
        cut_off = starts_at - timedelta(minutes=self.cut_off_minutes)
        return max(cut_off, paid_at + timedelta(minutes=self.grace_minutes)) if paid_at else cut_off

    def doctor_is_late(self, *, now: datetime, starts_at: datetime, waiting_since: datetime | None) -> bool:
        """The patient has waited longer than she must: since the later of start and check-in."""
        late = timedelta(minutes=self.doctor_late_minutes)
        return waiting_since is not None and now >= max(starts_at, waiting_since) + late


class RuleBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version: exactly one rule for each reason."""

    version: Annotated[str, Meta(pattern=r"^\d{4}\.\d{1,3}$")]
    effective_from: date
    cancellation: Cancellation
    rule: list[RefundRule]

    def of(self, reason: RefundReason) -> RefundRule:
        """The rule for a reason."""
        return next(rule for rule in self.rule if rule.reason is reason)


def read_book(text: str) -> RuleBook:
    """One version from its TOML; `RuleError` names what is wrong."""
    try:
        book = msgspec.convert(tomllib.loads(text), RuleBook)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RuleError(f"refund rules cannot be read: {error}") from None
    reasons = [rule.reason for rule in book.rule]
    if missing := [reason for reason in RefundReason if reason not in reasons]:
        raise RuleError(f"refund rules {book.version}: no rule for {', '.join(missing)}")
    for name, found in (("reason", [str(one) for one in reasons]), ("id", [rule.id for rule in book.rule])):
        if twice := sorted({one for one in found if found.count(one) > 1}):
            raise RuleError(f"refund rules {book.version}: {name} twice: {', '.join(twice)}")
    for rule in book.rule:
        _check(book.version, rule)
    return book


def _check(version: str, rule: RefundRule) -> None:
    if bool(rule.approver) != (rule.approve_within_hours is not None):
        raise RuleError(
            f"refund rules {version}: {rule.id} needs both approver and approve_within_hours, or neither"
        )
    if rule.approver and rule.percent == 0:
        raise RuleError(f"refund rules {version}: {rule.id} asks for an approval of nothing")
    if "诊断" in rule.words:  # a notice never names a diagnosis (practice.md 9)
        raise RuleError(f"refund rules {version}: {rule.id} names a diagnosis to the patient")


def in_order(books: Iterable[RuleBook]) -> tuple[RuleBook, ...]:
    """Oldest first; `RuleError` for a version or a day twice, or an id that changed its reason."""
    found = sorted(books, key=lambda book: book.effective_from)
    if not found:
        raise RuleError("there are no refund rules")
    for name, values in (
        ("version", [book.version for book in found]),
        ("day", [book.effective_from.isoformat() for book in found]),
    ):
        if len(set(values)) != len(values):
            raise RuleError(f"refund rules: {name} twice")
    known: dict[str, RefundReason] = {}
    for book in found:
        for rule in book.rule:
            if known.setdefault(rule.id, rule.reason) is not rule.reason:
                raise RuleError(f"refund rules {book.version}: {rule.id} had another reason before")
    return tuple(found)


@cache
def books() -> tuple[RuleBook, ...]:
    """Every version that ships, oldest first."""
    folder = files("backend.payment") / "data"
    return in_order(
        read_book(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.startswith("refund_rules_") and file.name.endswith(".toml")
    )


def book_on(day: date, known: Sequence[RuleBook] | None = None) -> RuleBook:
    """The version in force on a day; before the first there was none other."""
    found = known if known is not None else books()
    return next((book for book in reversed(found) if book.effective_from <= day), found[0])


def rules_by_reason(book: RuleBook) -> Mapping[RefundReason, RefundRule]:
    """Its rules."""
    return {rule.reason: rule for rule in book.rule}
