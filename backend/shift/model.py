"""Shifts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class Shift(Row, Base):
    """One shift; the CA's session signs for its holder until it ends."""

    __tablename__ = "shift"
    __table_args__ = (
        Index("uq_shift_open", "practitioner_id", unique=True, postgresql_where="closed_at IS NULL"),
    )

    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("staff.id"))
    opened_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()
    seen_at: Mapped[datetime] = moment()
    closed_at: Mapped[datetime | None] = moment(nullable=True)
    ca_session: Mapped[str] = stored(DataClass.SECRET, EncryptedText("shift.ca_session"))


class OnCall(Row, Base):
    """From `starts_at` to `ends_at` a pharmacist is called when nobody is at work (听班)."""

    __tablename__ = "on_call"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        Index("ix_on_call_ends_at", "ends_at"),
    )

    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("staff.id"))
    starts_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    withdrawn_at: Mapped[datetime | None] = moment(nullable=True)
