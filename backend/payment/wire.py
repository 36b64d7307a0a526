"""Structs of the payment routes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.outside.wechat_pay import UserCard
from backend.payment.model import HOSPITAL, Refund, Remedy
from backend.payment.queries import Found
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.payment.states import PAYMENT, REFUND
from backend.payment.tenders import LABELS, ORDER_OF_USE
from contracts.money import Fen
from foundation.errors import Invalid, Issue


class LineView(msgspec.Struct, frozen=True):
    """A line of the bill."""

    name: str
    quantity: int
    unit_amount: Fen
    amount: Fen
    price_version: str


class TenderView(msgspec.Struct, frozen=True):
    """A part of the bill by the way it is paid."""

    kind: str
    label: str
    amount: Fen


class RefundView(msgspec.Struct, frozen=True):
    """Money going back; `tenders` says to where."""

    amount: Fen
    state: str
    state_label: str
    reason: str
    requested_at: datetime
    succeeded_at: datetime | None
    tenders: list[TenderView]


class PaymentView(msgspec.Struct, frozen=True):
    """A bill with its state."""

    id: UUID
    subject_kind: str
    subject_id: UUID
    state: str
    state_label: str
    amount: Fen
    description: str
    expires_at: datetime
    paid_at: datetime | None
    lines: list[LineView]
    refunds: list[RefundView]
    tenders: list[TenderView]


class PayParameters(msgspec.Struct, frozen=True, rename="camel"):
    """What `wx.requestPayment` takes; `package` holds the prepay id."""

    app_id: str
    time_stamp: str
    nonce_str: str
    package: str
    sign_type: str
    pay_sign: str


class Redirect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an abnormal refund goes: to a bank card of the patient's (bank, number and holder), or to the hospital."""

    way: Literal["user_card", "hospital"]
    bank_type: Annotated[str, Meta(pattern=r"^([A-Z0-9]{2,24}_(DEBIT|CREDIT))?$")] = ""
    card_number: Annotated[str, Meta(pattern=r"^([0-9]{12,19})?$")] = ""
    card_holder: Annotated[str, Meta(max_length=60)] = ""

    def card(self) -> UserCard | None:
        """None is the hospital; `Invalid` when a card lacks something."""
        if self.way == HOSPITAL:
            return None
        needed = {
            "bank_type": "请选择开户银行",
            "card_number": "请填写银行卡号",
            "card_holder": "请填写持卡人姓名",
        }
        missing = [
            Issue(name, "missing", words) for name, words in needed.items() if not getattr(self, name).strip()
        ]
        if missing:
            raise Invalid(issues=missing)
        return UserCard(self.bank_type, self.card_number, self.card_holder.strip())


class HandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the patient got it: number of the transfer, or of the signed receipt."""

    evidence: Annotated[str, Meta(min_length=6, max_length=300)]


class GiveUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why nobody pays it any more."""

    note: Annotated[str, Meta(min_length=6, max_length=300)]


class RemedyView(msgspec.Struct, frozen=True):
    """What is done about an abnormal refund; of a card only the last four digits."""

    id: UUID
    way: str
    card_tail: str
    asked_at: datetime
    accepted_at: datetime | None
    proven_at: datetime | None
    done_at: datetime | None
    outcome: str


def remedy_view(row: Remedy) -> RemedyView:
    """From the row."""
    return RemedyView(
        row.id, row.way, row.card_tail, row.asked_at, row.accepted_at, row.proven_at, row.done_at, row.outcome
    )


def tender_views(parts: Mapping[str, int]) -> list[TenderView]:
    """In the order in which a patient reads them."""
    return [TenderView(kind, LABELS[kind], parts[kind]) for kind in ORDER_OF_USE if parts.get(kind)]


def payment_view(found: Found) -> PaymentView:
    """From the rows."""
    row = found.row
    return PaymentView(
        id=row.id, subject_kind=row.subject_kind, subject_id=row.subject_id, state=row.state,
        state_label=PAYMENT.labels[row.state], amount=row.amount, description=row.description,
        expires_at=row.expires_at, paid_at=row.paid_at,
        lines=[LineView(line.name, line.quantity, line.unit_amount, line.amount, line.price_version) for line in found.lines],
        refunds=[refund_view(refund, found.parts.get(refund.id, {})) for refund in found.refunds],
        tenders=tender_views(found.tenders),
    )  # fmt: skip


def refund_view(row: Refund, parts: Mapping[str, int]) -> RefundView:
    """From the row."""
    return RefundView(
        amount=row.amount, state=row.state, state_label=REFUND.labels[row.state],
        reason=REFUND_RULES[RefundReason(row.reason)].words, requested_at=row.requested_at,
        succeeded_at=row.succeeded_at, tenders=tender_views(parts),
    )  # fmt: skip
