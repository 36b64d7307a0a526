"""Messages to people, and every attempt to deliver one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, stored


class Message(Row, Base):
    """One message to one account or member of staff; delivered, or given up with the reason.

    `channels` are tried in their order; `channel` is the last one tried. What ended on the call list is closed by `called_at`.
    `count` says how many things of one kind were bundled in it.
    """

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_recipient", "recipient_id", "made_at"),
        Index(
            "ix_notification_calls", "made_at", postgresql_where="channel = 'call_list' AND called_at IS NULL"
        ),
    )

    recipient_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    recipient_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    template: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    data: Mapped[dict[str, str]] = stored(
        DataClass.PERSONAL, EncryptedJson("notification.data", dict[str, str])
    )
    count: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=1, server_default="1")
    link: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, index=True)
    channels: Mapped[str] = stored(
        DataClass.OPERATIONAL, String(60), default="wechat call_list", server_default="wechat call_list"
    )
    made_at: Mapped[datetime] = moment()
    delivered_at: Mapped[datetime | None] = moment(nullable=True)
    channel: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    gave_up: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), default="")
    attempts: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    called_at: Mapped[datetime | None] = moment(nullable=True)
    called_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)


class Delivery(Row, Base):
    """One attempt over one channel. `outcome`: sent, delivered, undelivered, refused, unreachable, no_address, listed."""

    __tablename__ = "notification_delivery"

    message_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("notification.id"), index=True)
    channel: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    outcome: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    detail: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), default="")
    reference: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    at: Mapped[datetime] = moment()
