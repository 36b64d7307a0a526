"""Prescriptions and their reviews."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Uuid,
)
from sqlalchemy.orm import Mapped

from backend.prescription.rules import SecondEyes
from backend.prescription.signing import PrescriptionContent
from backend.prescription.states import PRESCRIPTION, PrescriptionState
from backend.review.draft import Finding
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, EncryptedText, State, stored
from foundation.states import Machine


class PrescriptionRow(Row, Base):
    """One prescription; `content` is exactly what is signed, `digest` its SHA-256.

    `pharmacist_id` is who reviewed it; `confirmed_by` the other pharmacist where `second_eyes` asked for one.
    The database refuses one of a health consultation (practice.md 6).
    """

    __tablename__ = "prescription"
    __table_args__ = (
        Index("ix_prescription_review", "state", "signed_at"),
        ForeignKeyConstraint(["encounter_id", "encounter_kind"], ["encounter.id", "encounter.kind"]),
        CheckConstraint("encounter_kind = 'follow_up'", name="only_of_a_follow_up"),
    )
    MACHINE: ClassVar[Machine] = PRESCRIPTION

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, index=True)
    encounter_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="follow_up")
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"), index=True)
    prescriber_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    state: Mapped[PrescriptionState] = stored(
        DataClass.OPERATIONAL, State(PrescriptionState), default=PrescriptionState.DRAFT
    )
    number: Mapped[str] = stored(DataClass.OPERATIONAL, String(30), unique=True)
    lookup_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), unique=True)
    content: Mapped[PrescriptionContent] = stored(
        DataClass.CONTENT, EncryptedJson("prescription.content", PrescriptionContent)
    )
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    findings: Mapped[list[Finding]] = stored(
        DataClass.CONTENT, EncryptedJson("prescription.findings", list[Finding]), default=list
    )
    written_at: Mapped[datetime] = moment()
    signed_at: Mapped[datetime | None] = moment(nullable=True)
    valid_until: Mapped[datetime | None] = moment(nullable=True)
    reviewed_at: Mapped[datetime | None] = moment(nullable=True)
    pharmacist_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    second_eyes: Mapped[SecondEyes] = stored(
        DataClass.OPERATIONAL, State(SecondEyes), default=SecondEyes.NOT_NEEDED
    )
    endorsed_at: Mapped[datetime | None] = moment(nullable=True)
    confirmed_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)


class Review(Row, Base):
    """One verdict of a pharmacist: `approved`, or returned with category, point of the review, line and reason.

    `second` marks the word of the other pharmacist; `waited` is how many seconds it lay before this word.
    """

    __tablename__ = "review"

    prescription_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("prescription.id"), index=True
    )
    pharmacist_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    approved: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean)
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    category: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    point: Mapped[str] = stored(DataClass.OPERATIONAL, String(4), default="")
    item: Mapped[int | None] = stored(DataClass.OPERATIONAL, Integer, nullable=True)
    second: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    waited: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("review.reason"), default="")
    at: Mapped[datetime] = moment()
