"""Messages to people, with their delivery."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, stored


class Message(Row, Base):
    """One message to one account or member of staff; delivered, or given up with the reason."""

    __tablename__ = "notification"
    __table_args__ = (Index("ix_notification_recipient", "recipient_id", "made_at"),)

    recipient_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    recipient_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    template: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    data: Mapped[dict[str, str]] = stored(
        DataClass.PERSONAL, EncryptedJson("notification.data", dict[str, str])
    )
    link: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, index=True)
    made_at: Mapped[datetime] = moment()
    delivered_at: Mapped[datetime | None] = moment(nullable=True)
    channel: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    gave_up: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), default="")
    attempts: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
