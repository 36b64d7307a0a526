"""Messages and attachments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class ChatMessage(Row, Base):
    """One message; `sequence` orders it in its visit, `client_id` makes sending it twice harmless."""

    __tablename__ = "chat_message"
    __table_args__ = (
        UniqueConstraint("encounter_id", "sequence"),
        UniqueConstraint("encounter_id", "client_id"),
    )

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    sender: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    sender_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    body: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("chat_message.body"))
    attachment_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    client_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    at: Mapped[datetime] = moment()


class Attachment(Row, Base):
    """A picture or voice note; its bytes are in the object store, encrypted."""

    __tablename__ = "attachment"

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"), index=True)
    sender: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    media_type: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    size: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    at: Mapped[datetime] = moment()
