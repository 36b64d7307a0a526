"""Locks asked for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class FeeLock(Row, Base):
    """One lock of one bill. `id` is the request id that the hospital sees, `lift_id` that of its end.

    `held_at`: the hospital said so; without it nobody knows. `ended_at`: lifted, refused, or found to be over.
    """

    __tablename__ = "fee_lock"
    __table_args__ = (
        Index("uq_fee_lock_alive", "payment_id", unique=True, postgresql_where="ended_at IS NULL"),
    )

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), index=True)
    lift_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    asked_at: Mapped[datetime] = moment()
    until: Mapped[datetime] = moment()
    held_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    refused_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
