"""Payments, their lines and tenders, refunds, and the append-only list of what really moved."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.payment.states import PAYMENT, REFUND, PaymentState, RefundState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, Fen, State, stored
from foundation.states import Machine

USER_CARD, HOSPITAL = "user_card", "hospital"
"""Where an abnormal refund may be sent instead."""
_IN_THE_WAY = "state NOT IN ('closed', 'rejected') AND NOT (reason = 'by_agreement' AND state = 'succeeded')"
"""A rule gives its share once; people may agree again, when what they agreed to before is done."""


class Payment(Row, Base):
    """One bill for one subject. `account_id` pays it; a bill of the counter waits for whoever takes it.

    `out_trade_no` is our number at the provider, `transaction_id` the provider's.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id"),
        CheckConstraint("amount >= 0", name="amount"),
        Index("ix_payment_paid_at", "paid_at"),
    )
    MACHINE: ClassVar[Machine] = PAYMENT

    subject_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    account_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"), nullable=True, index=True
    )
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    state: Mapped[PaymentState] = stored(
        DataClass.OPERATIONAL, State(PaymentState), default=PaymentState.CREATED
    )
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    description: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    price_version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    out_trade_no: Mapped[str] = stored(DataClass.MONEY, String(32), unique=True)
    prepay_id: Mapped[str] = stored(DataClass.MONEY, String(64), default="")
    transaction_id: Mapped[str] = stored(DataClass.MONEY, String(40), default="")
    made_at: Mapped[datetime] = moment()
    placed_at: Mapped[datetime | None] = moment(nullable=True)
    expires_at: Mapped[datetime] = moment()
    paid_at: Mapped[datetime | None] = moment(nullable=True)


class FeeLine(Row, Base):
    """One line of a bill; it names the version of the price list. A drug's name is clinical content."""

    __tablename__ = "fee_line"

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), index=True)
    code: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("fee_line.code"))
    name: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("fee_line.name"))
    quantity: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    unit_amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    price_version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))


class Tender(Row, Base):
    """A part of a payment by the way it is paid."""

    __tablename__ = "tender"
    __table_args__ = (UniqueConstraint("payment_id", "kind"), CheckConstraint("amount >= 0", name="amount"))

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"))
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)


class Refund(Row, Base):
    """Money on its way back, by a rule of a version (practice.md 17).

    `approve_by` and `settle_by` are the rule's deadlines; `alarmed_at` says that the present one has rung. `given_up_at`: it
    is closed because a person said so, and the provider may think otherwise.
    """

    __tablename__ = "refund"
    __table_args__ = (
        Index("uq_refund_alive", "payment_id", "reason", unique=True, postgresql_where=_IN_THE_WAY),
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_refund_succeeded_at", "succeeded_at"),
        Index(
            "ix_refund_open",
            "requested_at",
            postgresql_where="state NOT IN ('succeeded', 'closed', 'rejected')",
        ),
    )
    MACHINE: ClassVar[Machine] = REFUND

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), index=True)
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    state: Mapped[RefundState] = stored(
        DataClass.OPERATIONAL, State(RefundState), default=RefundState.REQUESTED
    )
    reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    out_refund_no: Mapped[str] = stored(DataClass.MONEY, String(40), unique=True)
    provider_refund_id: Mapped[str] = stored(DataClass.MONEY, String(60), default="")
    rule_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(10), default="")
    rule_version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    note: Mapped[str | None] = stored(DataClass.CONTENT, EncryptedText("refund.note"), nullable=True)
    requested_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    requested_at: Mapped[datetime] = moment()
    approve_by: Mapped[datetime | None] = moment(nullable=True)
    decided_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    decision_note: Mapped[str | None] = stored(
        DataClass.CONTENT, EncryptedText("refund.decision_note"), nullable=True
    )
    settle_by: Mapped[datetime | None] = moment(nullable=True)
    alarmed_at: Mapped[datetime | None] = moment(nullable=True)
    succeeded_at: Mapped[datetime | None] = moment(nullable=True)
    given_up_at: Mapped[datetime | None] = moment(nullable=True)


class RefundPart(Row, Base):
    """What of a refund goes back to one tender; `proven_at` when its provider has proven it."""

    __tablename__ = "refund_part"
    __table_args__ = (UniqueConstraint("refund_id", "tender"), CheckConstraint("amount > 0", name="amount"))

    refund_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("refund.id"))
    tender: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    provider_reference: Mapped[str] = stored(DataClass.MONEY, String(60), default="")
    proven_at: Mapped[datetime | None] = moment(nullable=True)


class Remedy(Row, Base):
    """What a person does about an abnormal refund: send it to a card of the patient's, or to the hospital, who hands it over.

    `accepted_at`: WeChat Pay took it; `proven_at`: the money is with the hospital. Number and holder of the card are
    kept only until it was taken. Done when nothing more comes of it; `outcome` says what came. Nobody `asked_by` here when
    it was done on WeChat Pay's own platform.
    """

    __tablename__ = "refund_remedy"
    __table_args__ = (
        Index("uq_refund_remedy_open", "refund_id", unique=True, postgresql_where="done_at IS NULL"),
    )

    refund_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("refund.id"), index=True)
    way: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    bank_type: Mapped[str] = stored(DataClass.OPERATIONAL, String(32), default="")
    card_number: Mapped[str | None] = stored(
        DataClass.PERSONAL, EncryptedText("refund_remedy.card_number"), nullable=True
    )
    card_holder: Mapped[str | None] = stored(
        DataClass.PERSONAL, EncryptedText("refund_remedy.card_holder"), nullable=True
    )
    card_tail: Mapped[str] = stored(DataClass.OPERATIONAL, String(4), default="")
    asked_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    asked_at: Mapped[datetime] = moment()
    sent_at: Mapped[datetime | None] = moment(nullable=True)
    accepted_at: Mapped[datetime | None] = moment(nullable=True)
    proven_at: Mapped[datetime | None] = moment(nullable=True)
    done_at: Mapped[datetime | None] = moment(nullable=True)
    outcome: Mapped[str] = stored(DataClass.OPERATIONAL, String(120), default="")
    evidence: Mapped[str | None] = stored(
        DataClass.PERSONAL, EncryptedText("refund_remedy.evidence"), nullable=True
    )
    handed_over_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)


class MoneyEvent(Row, Base):
    """What moved, proven by the provider, `at` its time; rows are only ever added. `kind`: received, refunded."""

    __tablename__ = "money_event"
    __table_args__ = (
        UniqueConstraint("kind", "tender", "provider_reference"),
        Index("ix_money_event_at", "at"),
    )

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), index=True)
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    tender: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    provider_reference: Mapped[str] = stored(DataClass.MONEY, String(60))
    at: Mapped[datetime] = moment()
