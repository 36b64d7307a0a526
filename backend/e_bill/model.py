"""E-bills as stored: numbers and amounts. What stands on them stands on the payment's lines."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.e_bill.states import E_BILL, EBillState
from backend.outside.insurance import Split
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, Fen, State, stored
from foundation.states import Machine

_LIVE = "state IN ('wanted', 'issued')"


class EBillRow(Row, Base):
    """One bill of a payment; `sequence` counts them. `problem` is why it is not further, for the desk."""

    __tablename__ = "e_bill"
    __table_args__ = (
        UniqueConstraint("payment_id", "sequence"),
        Index("uq_e_bill_live", "payment_id", unique=True, postgresql_where=_LIVE),
        CheckConstraint("gov >= 0 AND own >= 0 AND other >= 0 AND cash >= 0", name="parts"),
    )
    MACHINE: ClassVar[Machine] = E_BILL

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"))
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    state: Mapped[EBillState] = stored(DataClass.OPERATIONAL, State(EBillState), default=EBillState.WANTED)
    gov: Mapped[int] = stored(DataClass.MONEY, Fen)
    own: Mapped[int] = stored(DataClass.MONEY, Fen)
    other: Mapped[int] = stored(DataClass.MONEY, Fen)
    cash: Mapped[int] = stored(DataClass.MONEY, Fen)
    wanted_at: Mapped[datetime] = moment()
    code: Mapped[str] = stored(DataClass.MONEY, String(8), default="")
    number: Mapped[str] = stored(DataClass.MONEY, String(10), default="")
    check_code: Mapped[str] = stored(DataClass.MONEY, String(6), default="")
    notice: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    issued_at: Mapped[datetime | None] = moment(nullable=True)
    red_number: Mapped[str] = stored(DataClass.MONEY, String(10), default="")
    red_check_code: Mapped[str] = stored(DataClass.MONEY, String(6), default="")
    red_at: Mapped[datetime | None] = moment(nullable=True)
    red_for: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("refund.id"), nullable=True)
    problem: Mapped[str] = stored(DataClass.OPERATIONAL, String(160), default="")

    @property
    def split(self) -> Split:
        """What stands on it."""
        return Split(self.gov, self.own, self.other, self.cash)

    @property
    def request_id(self) -> str:
        """Ours, of the bill."""
        return self.id.hex

    @property
    def red_request_id(self) -> str:
        """Ours, of its reversal."""
        return f"R{self.id.hex}"
