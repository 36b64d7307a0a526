"""Slots."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class Slot(Row, Base):
    """One segment of one doctor. `taken` only grows and gives the serial number (序号); `remaining` is all that can be sold.

    Of `remaining`, `held_…` places are kept for one channel until `shares_end_at` (null: for ever). It can be booked from
    `released_at` (null: already) until it is stopped. `source`: own, his; a mirrored one is sold until `fresh_until` and no
    longer, unless the hospital's system was heard again. `mode` is how the doctor sees patients then: any, video, text.
    The next `surplus` places that come back are none any more: the slot was made smaller than what had been sold.
    """

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("practitioner_id", "starts_at"),
        CheckConstraint("remaining >= 0 AND remaining <= capacity", name="remaining"),
        CheckConstraint(
            "held_follow_up >= 0 AND held_staff >= 0 AND held_referral >= 0"
            " AND held_follow_up + held_staff + held_referral <= remaining",
            name="held",
        ),
        CheckConstraint("surplus >= 0", name="surplus"),
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
    held_follow_up: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    held_staff: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    held_referral: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    released_at: Mapped[datetime | None] = moment(nullable=True)
    shares_end_at: Mapped[datetime | None] = moment(nullable=True)
    stopped_at: Mapped[datetime | None] = moment(nullable=True)
    source: Mapped[str] = stored(DataClass.OPERATIONAL, String(10), default="own")
    fresh_until: Mapped[datetime | None] = moment(nullable=True)
    mode: Mapped[str] = stored(DataClass.OPERATIONAL, String(10), default="any")
    surplus: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0, server_default="0")
