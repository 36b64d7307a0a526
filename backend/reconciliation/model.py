"""Days, runs and differences."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.reconciliation.states import DIFFERENCE, RECONCILIATION, DayState, DifferenceState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, Fen, State, stored
from foundation.states import Machine


class ReconciliationDay(Row, Base):
    """One day of ours; its figures are those of the last run."""

    __tablename__ = "reconciliation_day"
    __table_args__ = (UniqueConstraint("day"),)
    MACHINE: ClassVar[Machine] = RECONCILIATION

    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    state: Mapped[DayState] = stored(DataClass.OPERATIONAL, State(DayState), default=DayState.OPEN)
    due_at: Mapped[datetime] = moment()
    last_run: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    waiting_for: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    closed_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def stream(self) -> str:
        """Stream of its changes, and the lock of everything in it."""
        return f"reconciliation:{self.day.isoformat()}"


class ReconciliationRun(Row, Base):
    """One comparison. The statement lies in the object store under `statement`, its SHA-256 is `statement_hash`.

    Sums in fen; `provider_fee` in thousandths of a fen, as the bill has it. `trade_sha1`, `flow_sha1` are WeChat Pay's own of its files.
    """

    __tablename__ = "reconciliation_run"

    day_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("reconciliation_day.id"), index=True
    )
    at: Mapped[datetime] = moment()
    differences: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    entries: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    ours_charged: Mapped[int] = stored(DataClass.MONEY, Fen)
    ours_refunded: Mapped[int] = stored(DataClass.MONEY, Fen)
    provider_charged: Mapped[int] = stored(DataClass.MONEY, Fen)
    provider_refunded: Mapped[int] = stored(DataClass.MONEY, Fen)
    provider_fee: Mapped[int] = stored(DataClass.MONEY, Fen)
    account_in: Mapped[int] = stored(DataClass.MONEY, Fen)
    account_out: Mapped[int] = stored(DataClass.MONEY, Fen)
    hospital_charged: Mapped[int] = stored(DataClass.MONEY, Fen)
    hospital_refunded: Mapped[int] = stored(DataClass.MONEY, Fen)
    trade_sha1: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    flow_sha1: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    statement: Mapped[str] = stored(DataClass.OPERATIONAL, String(120))
    statement_hash: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))


class DifferenceRow(Row, Base):
    """One difference of a day; the same one found again is the same row. Amounts in fen, None where a book has nothing."""

    __tablename__ = "reconciliation_difference"
    __table_args__ = (
        UniqueConstraint("day_id", "kind", "money", "number"),
        Index("ix_reconciliation_difference_open", "found_at", postgresql_where="state = 'open'"),
    )
    MACHINE: ClassVar[Machine] = DIFFERENCE

    day_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("reconciliation_day.id"), index=True
    )
    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    state: Mapped[DifferenceState] = stored(
        DataClass.OPERATIONAL, State(DifferenceState), default=DifferenceState.OPEN
    )
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(24))
    money: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    number: Mapped[str] = stored(DataClass.MONEY, String(64))
    own: Mapped[str] = stored(DataClass.MONEY, String(64), default="")
    mine: Mapped[int | None] = stored(DataClass.MONEY, Fen, nullable=True)
    theirs: Mapped[int | None] = stored(DataClass.MONEY, Fen, nullable=True)
    payment_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), nullable=True
    )
    refund_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("refund.id"), nullable=True
    )
    found_at: Mapped[datetime] = moment()
    resolution: Mapped[str] = stored(DataClass.OPERATIONAL, String(24), default="")
    note: Mapped[str | None] = stored(
        DataClass.CONTENT, EncryptedText("reconciliation_difference.note"), nullable=True
    )
    settled_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    settled_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def stream(self) -> str:
        """That of its day."""
        return f"reconciliation:{self.day.isoformat()}"
