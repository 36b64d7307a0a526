"""Messages, read marks, files and uploads on their way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class ChatMessage(Row, Base):
    """One message; `sequence` orders it in its visit, `client_id` makes sending it twice harmless.

    `sender` is patient, doctor or system. What a program says names the program in `machine` and nobody in `sender_id`: the
    database keeps the two apart (监管细则 2022). `body` is the text, or the JSON of a card.
    """

    __tablename__ = "chat_message"
    __table_args__ = (
        UniqueConstraint("encounter_id", "sequence"),
        UniqueConstraint("encounter_id", "client_id"),
        CheckConstraint("(sender = 'system') = (sender_id IS NULL)", name="nobody_speaks_for_a_machine"),
        CheckConstraint("(sender = 'system') = (machine <> '')", name="machines_are_named"),
    )

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    sender: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    sender_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    machine: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    body: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("chat_message.body"))
    attachment_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    client_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    at: Mapped[datetime] = moment()


class ReadMark(Row, Base):
    """How far one side has read; it only moves forward."""

    __tablename__ = "chat_read_mark"
    __table_args__ = (UniqueConstraint("encounter_id", "side"),)

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"))
    side: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    at: Mapped[datetime] = moment()


class Attachment(Row, Base):
    """A picture or voice note as we made it; its bytes are in the object store, encrypted.

    `size` and `sha256` are of what is stored. A picture has `width`, `height` and a small twin under `small_key`, a voice note its
    `duration_ms`.
    """

    __tablename__ = "attachment"

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"), index=True)
    sender: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    media_type: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    size: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    small_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), default="")
    width: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    height: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    duration_ms: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    at: Mapped[datetime] = moment()


class Upload(Row, Base):
    """A file on its way in pieces. `received` bytes are safe; `attachment_id` says that it arrived and was accepted."""

    __tablename__ = "chat_upload"
    __table_args__ = (
        UniqueConstraint("encounter_id", "client_id"),
        CheckConstraint("received >= 0 AND received <= size", name="received"),
    )

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"))
    sender: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    client_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    media_type: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    size: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    received: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    attachment_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    made_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()


class UploadPart(Row, Base):
    """One piece under `object_key`, from byte `start`; `size` is 0 until it is safe and counted."""

    __tablename__ = "chat_upload_part"
    __table_args__ = (
        Index("uq_chat_upload_part_safe", "upload_id", "start", unique=True, postgresql_where="size > 0"),
    )

    upload_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("chat_upload.id"), index=True)
    start: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    size: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
