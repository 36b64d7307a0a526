"""Structs of the money desk's routes."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.cashier.queries import Asked
from backend.patient.model import Person
from backend.payment.model import Payment
from backend.payment.refunding import deadline
from backend.payment.rulebook import RuleBook
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.payment.states import PAYMENT, REFUND
from contracts.money import Fen
from foundation.masking import mask_name, mask_phone

Note = Annotated[str, Meta(min_length=4, max_length=300)]


class RefundsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`view`: deciding, late, abnormal, running or all; `q`: part of a number, or a phone number."""

    view: str = "deciding"
    q: Annotated[str, Meta(max_length=64)] = ""


class OrdersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`q`: part of a number of the order or its refunds, or the whole phone number of the account."""

    q: Annotated[str, Meta(max_length=64)] = ""


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Agreeing needs no words."""

    note: Annotated[str, Meta(max_length=300)] = ""


class Reject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Not agreeing does."""

    note: Note


class Propose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refund by agreement; `yuan` as a person writes it, at most what is left of the bill."""

    yuan: Annotated[str, Meta(pattern=r"^\d{1,6}(\.\d{1,2})?$")]
    note: Note


class CancellationView(msgspec.Struct, frozen=True):
    """What the patient gets back if she cancels now; `free_until` is the end of cancelling for nothing."""

    reason: str
    rule_id: str
    rule_version: str
    percent: int
    paid: Fen
    amount: Fen
    free_until: datetime


class OrderView(msgspec.Struct, frozen=True):
    """An order in a list; names and phones are masked."""

    id: UUID
    subject_kind: str
    state: str
    state_label: str
    amount: Fen
    person_name: str
    person_phone: str
    out_trade_no: str
    transaction_id: str
    made_at: datetime
    paid_at: datetime | None


class DeskRefund(msgspec.Struct, frozen=True):
    """A refund with the rule it goes by and its deadlines."""

    id: UUID
    payment_id: UUID
    subject_kind: str
    state: str
    state_label: str
    amount: Fen
    reason: str
    words: str
    rule_id: str
    rule_version: str
    person_name: str
    note: str
    requested_by: str
    requested_at: datetime
    deadline: datetime | None
    late: bool
    decided_by: str
    decided_at: datetime | None
    decision_note: str
    out_refund_no: str
    provider_refund_id: str
    succeeded_at: datetime | None


class RuleView(msgspec.Struct, frozen=True):
    """One rule as everybody may read it."""

    id: str
    applies_to: str
    trigger: str
    percent: int
    approval_needed: bool
    approve_within_hours: int | None
    settle_within_hours: int


class RuleBookView(msgspec.Struct, frozen=True):
    """The rules in force, and the times that tell one case of a cancellation from another."""

    version: str
    effective_from: date
    cut_off_minutes: int
    grace_minutes: int
    doctor_late_minutes: int
    rules: list[RuleView]


def order_view(row: Payment, person: Person) -> OrderView:
    """From the rows."""
    return OrderView(
        id=row.id, subject_kind=row.subject_kind, state=row.state, state_label=PAYMENT.labels[row.state],
        amount=row.amount, person_name=mask_name(person.name), person_phone=mask_phone(person.phone),
        out_trade_no=row.out_trade_no, transaction_id=row.transaction_id, made_at=row.made_at, paid_at=row.paid_at,
    )  # fmt: skip


def refund_view(found: Asked, names: Mapping[UUID, str], now: datetime) -> DeskRefund:
    """From the rows; `names` are the staff's."""
    row, until = found.refund, deadline(found.refund)
    return DeskRefund(
        id=row.id, payment_id=row.payment_id, subject_kind=found.payment.subject_kind, state=row.state,
        state_label=REFUND.labels[row.state], amount=row.amount, reason=row.reason,
        words=REFUND_RULES[RefundReason(row.reason)].words, rule_id=row.rule_id, rule_version=row.rule_version,
        person_name=mask_name(found.person.name), note=row.note or "", requested_at=row.requested_at,
        requested_by=names.get(row.requested_by, "") if row.requested_by else "", deadline=until,
        late=row.alarmed_at is not None or (until is not None and now >= until), decided_at=row.decided_at,
        decided_by=names.get(row.decided_by, "") if row.decided_by else "", decision_note=row.decision_note or "",
        out_refund_no=row.out_refund_no, provider_refund_id=row.provider_refund_id, succeeded_at=row.succeeded_at,
    )  # fmt: skip


def book_view(book: RuleBook) -> RuleBookView:
    """From the data."""
    times = book.cancellation
    rules = [
        RuleView(
            one.id, one.applies_to, one.trigger, one.percent, bool(one.approver), one.approve_within_hours,
            one.settle_within_hours,
        )
        for one in sorted(book.rule, key=lambda one: one.id)
    ]  # fmt: skip
    return RuleBookView(
        book.version,
        book.effective_from,
        times.cut_off_minutes,
        times.grace_minutes,
        times.doctor_late_minutes,
        rules,
    )
