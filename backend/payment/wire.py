"""Structs of the payment routes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from backend.payment.model import FeeLine, Payment, Refund
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.payment.states import PAYMENT, REFUND
from contracts.money import Fen


class LineView(msgspec.Struct, frozen=True):
    """A line of the bill."""

    name: str
    quantity: int
    unit_amount: Fen
    amount: Fen
    price_version: str


class RefundView(msgspec.Struct, frozen=True):
    """Money going back."""

    amount: Fen
    state: str
    state_label: str
    reason: str
    requested_at: datetime
    succeeded_at: datetime | None


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


class PayParameters(msgspec.Struct, frozen=True, rename="camel"):
    """What `wx.requestPayment` takes; `package` holds the prepay id."""

    app_id: str
    time_stamp: str
    nonce_str: str
    package: str
    sign_type: str
    pay_sign: str


def payment_view(row: Payment, lines: Sequence[FeeLine], refunds: Sequence[Refund]) -> PaymentView:
    """From the rows."""
    return PaymentView(
        id=row.id, subject_kind=row.subject_kind, subject_id=row.subject_id, state=row.state,
        state_label=PAYMENT.labels[row.state], amount=row.amount, description=row.description,
        expires_at=row.expires_at, paid_at=row.paid_at,
        lines=[LineView(line.name, line.quantity, line.unit_amount, line.amount, line.price_version) for line in lines],
        refunds=[refund_view(refund) for refund in refunds],
    )  # fmt: skip


def refund_view(row: Refund) -> RefundView:
    """From the row."""
    return RefundView(
        amount=row.amount, state=row.state, state_label=REFUND.labels[row.state],
        reason=REFUND_RULES[RefundReason(row.reason)].words, requested_at=row.requested_at,
        succeeded_at=row.succeeded_at,
    )  # fmt: skip
