"""The row of an alarm."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class Alarm(Row, Base):
    """Open while `closed_at` is empty; `closed_by` is empty when it was seen to be over. `link` is a path of the desk."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index("uq_alarm_open", "kind", "subject", unique=True, postgresql_where="closed_at IS NULL"),
        Index("ix_alarm_last_at", "last_at"),
    )

    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    subject: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    detail: Mapped[str] = stored(DataClass.OPERATIONAL, String(300))
    link: Mapped[str] = stored(DataClass.OPERATIONAL, String(120), default="")
    times: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=1)
    first_at: Mapped[datetime] = moment()
    last_at: Mapped[datetime] = moment()
    closed_at: Mapped[datetime | None] = moment(nullable=True)
    closed_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    note: Mapped[str] = stored(DataClass.OPERATIONAL, String(300), default="")
