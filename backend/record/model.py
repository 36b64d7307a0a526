"""Medical records."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped

from contracts.events import Diagnosis
from foundation.clock import local
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, stored


class RecordContent(msgspec.Struct, frozen=True):
    """What is signed: canonical JSON of this."""

    encounter_id: UUID
    version: int
    patient_name: str
    patient_sex: str
    patient_age: int
    department: str
    practitioner: str
    chief_complaint: str
    present_history: str
    past_history: str
    examination: str
    opinion: str
    advice: str
    diagnoses: list[Diagnosis]
    amendment_reason: str = ""


class MedicalRecord(Row, Base):
    """One version; the draft has no `signed_at`. The database refuses one of a health consultation (practice.md 6).

    `content` is empty once it was dropped here: then the hospital has it under `kept_key`, and `digest` says what it was.
    """

    __tablename__ = "medical_record"
    __table_args__ = (
        UniqueConstraint("encounter_id", "version"),
        ForeignKeyConstraint(["encounter_id", "encounter_kind"], ["encounter.id", "encounter.kind"]),
        CheckConstraint("encounter_kind = 'follow_up'", name="only_of_a_follow_up"),
    )

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    encounter_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="follow_up")
    version: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    content: Mapped[RecordContent | None] = stored(
        DataClass.CONTENT, EncryptedJson("medical_record.content", RecordContent), nullable=True
    )
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    signature_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    written_at: Mapped[datetime] = moment()
    signed_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def written(self) -> RecordContent:
        """The content of a version whose visit is running, or that was not dropped."""
        if self.content is None:
            raise RuntimeError(
                "the content of this record is the hospital's: ask for it with `contents.content_of`"
            )
        return self.content

    @property
    def kept_key(self) -> str:
        """Under which the hospital's store has the content."""
        return f"records/{local(self.written_at):%Y/%m/%d}/{self.id}.json"
