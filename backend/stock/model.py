"""Levels and the moves they are sums of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.stock.rules import Kind, Level
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, State, stored


class StockLevel(Row, Base):
    """Packs of one drug."""

    __tablename__ = "stock_level"
    __table_args__ = (
        UniqueConstraint("hospital_id", "drug_code"),
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="adds_up"),
    )

    drug_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
    on_hand: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    reserved: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)

    @property
    def level(self) -> Level:
        """As the rules see it."""
        return Level(self.on_hand, self.reserved)


class HospitalShelf(Row, Base):
    """What the hospital's own pharmacy says it has of a drug: `at` its last change there, `read_at` when we read it. Told, never decided on."""

    __tablename__ = "hospital_shelf"
    __table_args__ = (UniqueConstraint("hospital_id", "drug_code"),)

    drug_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
    quantity: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    unit: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")
    at: Mapped[datetime] = moment()
    read_at: Mapped[datetime] = moment()


class StockMove(Row, Base):
    """One move; only added. An order reserves, releases and issues a drug once each."""

    __tablename__ = "stock_move"
    __table_args__ = (
        Index(
            "uq_stock_move_once", "subject_id", "drug_code", "kind", unique=True, postgresql_where="subject_id IS NOT NULL"
        ),
        Index("ix_stock_move_drug", "drug_code", "at"),
    )  # fmt: skip

    drug_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
    kind: Mapped[Kind] = stored(DataClass.OPERATIONAL, State(Kind))
    packs: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    subject_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    note: Mapped[str] = stored(DataClass.OPERATIONAL, String(100), default="")
    at: Mapped[datetime] = moment()
