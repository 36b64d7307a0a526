"""Recordings: the manifest of what was kept of a consultation, who may see it, what must not be deleted; and look-ins."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class Recording(Row, Base):
    """One segment: what one participant sent over one connection. Made when it begins, completed when it ends.

    The line outlives its file: after the lawful deletion `deleted_at` says when, the digest what it was.
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
    deleted_at: Mapped[datetime | None] = moment(nullable=True)


class RecordingHold(Row, Base):
    """Recordings of a visit are not deleted while a hold stands, however old they are (a dispute, an inquiry)."""

    __tablename__ = "recording_hold"
    __table_args__ = (
        Index(
            "uq_recording_hold_standing", "encounter_id", unique=True, postgresql_where="lifted_at IS NULL"
        ),
    )

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("recording_hold.reason"))
    placed_by: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    placed_at: Mapped[datetime] = moment()
    lifted_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    lifted_at: Mapped[datetime | None] = moment(nullable=True)


class RecordingView(Row, Base):
    """A member of staff looks at the recordings of one visit, for a purpose, until `ends_at`."""

    __tablename__ = "recording_view"
    __table_args__ = (Index("ix_recording_view_encounter", "encounter_id", "opened_at"),)

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    viewer_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    purpose: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("recording_view.reason"))
    opened_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()


class RecordingFilm(Row, Base):
    """A file joined from a visit's recordings on demand: a copy for viewing, deleted after some days.

    `track` is the party it shows, or `both`; `sources` is the digest of what it was joined from, so that a later
    recording makes another film. `problem` says what had to be left out, or why there is none.
    """

    __tablename__ = "recording_film"
    __table_args__ = (UniqueConstraint("encounter_id", "track", "sources"),)

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    track: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    sources: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    asked_at: Mapped[datetime] = moment()
    ready_at: Mapped[datetime | None] = moment(nullable=True)
    bytes: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    duration_ms: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    problem: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), default="")
    deleted_at: Mapped[datetime | None] = moment(nullable=True)


class RecordingConsent(Row, Base):
    """One decision about being recorded: which account, acting as whom (self, guardian, proxy), on which text, when.

    `Encounter.recording_consent` has the last one; these rows are the evidence and are never changed.
    """

    __tablename__ = "recording_consent"
    __table_args__ = (Index("ix_recording_consent_encounter", "encounter_id", "at"),)

    encounter_id: Mapped[UUID] = stored(DataClass.EVIDENCE, Uuid)
    person_id: Mapped[UUID] = stored(DataClass.EVIDENCE, Uuid)
    account_id: Mapped[UUID] = stored(DataClass.EVIDENCE, Uuid)
    acts_as: Mapped[str] = stored(DataClass.EVIDENCE, String(12))
    decision: Mapped[str] = stored(DataClass.EVIDENCE, String(10))
    text_version: Mapped[str] = stored(DataClass.EVIDENCE, String(20))
    text_sha256: Mapped[str] = stored(DataClass.EVIDENCE, String(64))
    at: Mapped[datetime] = moment()


class LookIn(Row, Base):
    """A supervisor's permission to watch one live consultation: by whom, why, until when, shown or not."""

    __tablename__ = "look_in"
    __table_args__ = (Index("ix_look_in_encounter", "encounter_id", "opened_at"),)

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    supervisor_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    supervisor_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("look_in.reason"))
    shown: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean)
    opened_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    ended_at: Mapped[datetime | None] = moment(nullable=True)
