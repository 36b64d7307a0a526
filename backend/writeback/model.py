"""Write-back steps."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class WriteBack(Row, Base):
    """One step of one visit. `id` is the request id the hospital sees: the same step twice has one effect."""

    __tablename__ = "write_back"
    __table_args__ = (UniqueConstraint("step", "subject_id"),)

    appointment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, index=True)
    step: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
    order: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    asked_at: Mapped[datetime] = moment()
    acknowledged_at: Mapped[datetime | None] = moment(nullable=True)
    reference: Mapped[str] = stored(DataClass.EVIDENCE, String(120), default="")
    refused_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
