"""Attempts to pay by insurance, what patients chose, and what the insurance gave back."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.insurance.states import INSURANCE_ORDER, InsuranceState
from backend.outside.insurance import Split
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, Fen, State, stored
from foundation.states import Machine

_OPEN = "state IN ('authorised', 'quoted', 'placed')"


class InsuranceOrder(Row, Base):
    """One attempt. `serial_no` is our number at the bureau, `pay_order_id` the bureau's, `mix_trade_no` WeChat's.

    `agreed_at`: she accepted the split, and the bill is paid by it from then on. `location` is what the authorisation said
    of her place; the bureau asks for it.
    """

    __tablename__ = "insurance_order"
    __table_args__ = (
        Index("uq_insurance_order_open", "payment_id", unique=True, postgresql_where=_OPEN),
        CheckConstraint("gov >= 0 AND own >= 0 AND other >= 0 AND cash >= 0 AND freight >= 0", name="parts"),
    )
    MACHINE: ClassVar[Machine] = INSURANCE_ORDER

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), index=True)
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    account_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"))
    state: Mapped[InsuranceState] = stored(
        DataClass.OPERATIONAL, State(InsuranceState), default=InsuranceState.AUTHORISED
    )
    order_type: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    out_trade_no: Mapped[str] = stored(DataClass.MONEY, String(32), unique=True)
    serial_no: Mapped[str] = stored(DataClass.MONEY, String(20), unique=True)
    pay_auth_no: Mapped[str] = stored(DataClass.SECRET, EncryptedText("insurance_order.pay_auth_no"))
    location: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("insurance_order.location"))
    pay_order_id: Mapped[str] = stored(DataClass.MONEY, String(64), default="")
    mix_trade_no: Mapped[str] = stored(DataClass.MONEY, String(40), default="")
    prepay_id: Mapped[str] = stored(DataClass.MONEY, String(64), default="")
    gov: Mapped[int] = stored(DataClass.MONEY, Fen, default=0)
    own: Mapped[int] = stored(DataClass.MONEY, Fen, default=0)
    other: Mapped[int] = stored(DataClass.MONEY, Fen, default=0)
    cash: Mapped[int] = stored(DataClass.MONEY, Fen, default=0)
    freight: Mapped[int] = stored(DataClass.MONEY, Fen, default=0)
    return_no: Mapped[str] = stored(DataClass.MONEY, String(40), default="", server_default="")
    failure: Mapped[str] = stored(DataClass.OPERATIONAL, String(120), default="")
    authorised_at: Mapped[datetime] = moment()
    quoted_at: Mapped[datetime | None] = moment(nullable=True)
    agreed_at: Mapped[datetime | None] = moment(nullable=True)
    placed_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def refund_no(self) -> str:
        """The number under which its cash goes back."""
        return self.return_no or self.id.hex

    @property
    def split(self) -> Split:
        """As quoted."""
        return Split(self.gov, self.own, self.other, self.cash)


class PaymentChoice(Row, Base):
    """Which way of paying a patient chose, and what she was shown when she did; rows are only ever added.

    `way`: insurance, self_pay. `instead_of`: the words of an insurance that failed her, when that is what she turned from.
    """

    __tablename__ = "payment_choice"

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), index=True)
    account_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"))
    way: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    instead_of: Mapped[str] = stored(DataClass.OPERATIONAL, String(120), default="")
    insurance_amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    cash_amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    chosen_at: Mapped[datetime] = moment()


class InsuranceRefund(Row, Base):
    """The insurance's receipt for its parts of a refund; `told_at` when WeChat knows of it."""

    __tablename__ = "insurance_refund"
    __table_args__ = (UniqueConstraint("refund_id"),)

    refund_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("refund.id"))
    order_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("insurance_order.id"), index=True)
    refund_no: Mapped[str] = stored(DataClass.MONEY, String(40))
    receipt: Mapped[str] = stored(DataClass.MONEY, String(64))
    gov: Mapped[int] = stored(DataClass.MONEY, Fen)
    own: Mapped[int] = stored(DataClass.MONEY, Fen)
    other: Mapped[int] = stored(DataClass.MONEY, Fen)
    refunded_at: Mapped[datetime] = moment()
    told_at: Mapped[datetime | None] = moment(nullable=True)
