"""Slots."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class Slot(Row, Base):
    """One segment of one doctor. `taken` only grows and gives the serial number (序号); `remaining` is what can be sold."""

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("practitioner_id", "starts_at"),
        CheckConstraint("remaining >= 0 AND remaining <= capacity", name="remaining"),
        Index("ix_slot_department_day", "department_code", "day"),
    )

    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    department_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), ForeignKey("department.code"))
    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    starts_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    capacity: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    remaining: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    taken: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    price_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
