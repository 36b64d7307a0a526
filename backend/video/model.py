"""Recordings: the manifest of what was kept of a consultation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class Recording(Row, Base):
    """One segment: what one participant sent over one connection. Made when it begins, completed when it ends.

    `ended_at` is empty while it is being written; a row that stays so after its node died is completed by `service.recover`.
    `encounter_id` is no foreign key: the media process knows no other table, and evidence is kept in any case.
    """

    __tablename__ = "recording"
    __table_args__ = (
        Index("ix_recording_encounter", "encounter_id", "started_at"),
        Index("ix_recording_open", "node", postgresql_where="ended_at IS NULL"),
    )

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    participant_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    role: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    segment: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    node: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), unique=True)
    started_at: Mapped[datetime] = moment()
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    first_pts_ms: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    last_pts_ms: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    duration_ms: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    video_frames: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    audio_frames: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    bytes: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    complete: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    close_reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")
