"""Shifts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
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
