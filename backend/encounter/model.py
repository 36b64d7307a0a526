"""Encounters: online follow-ups and health consultations, two types in one table."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped

from backend.encounter.states import CONSULTATION, ENCOUNTER, EncounterState
from contracts.events import Diagnosis
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, EncryptedText, State, stored
from foundation.states import Machine

_DIAGNOSING = (
    "original_code IS NOT NULL AND doctor_decides IS NOT NULL AND diagnoses IS NOT NULL AND answer IS NULL"
)
_ADVISING = (
    "original_code IS NULL AND original_day IS NULL AND doctor_decides IS NULL AND follow_up_confirmed_at IS NULL"
    " AND diagnoses IS NULL"
)


class Encounter(Row, Base):
    """A patient and a doctor online: a `FollowUp` or a `Consultation`, never anything else.

    `acceptance_deadline` is the earliest moment at which the acceptance clock can have run out; it moves while the doctor is
    in another visit. When it grows late the patient is offered her money or her place (`late_offered_at`, `place_kept_at`).
    They may talk until `talk_until`; `extensions` counts how often the doctor prolonged it, `held_at` is set while she pauses and
    `paused_seconds` is what earlier pauses took (`rules.TalkTime`). `advice_given`: while the visit runs, whether the doctor wrote
    something of substance; of one that was stopped, what she said about it.
    """

    __tablename__ = "encounter"
    __table_args__ = (
        UniqueConstraint("id", "kind"),
        Index("ix_encounter_practitioner", "practitioner_id", "state"),
        CheckConstraint(
            f"(kind = 'follow_up' AND {_DIAGNOSING}) OR (kind = 'consultation' AND {_ADVISING})", name="kind"
        ),
    )
    __mapper_args__ = {"polymorphic_on": "kind", "with_polymorphic": "*"}  # noqa: RUF012
    MACHINE: ClassVar[Machine] = ENCOUNTER

    appointment_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("appointment.id"), unique=True
    )
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"), index=True)
    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    state: Mapped[EncounterState] = stored(
        DataClass.OPERATIONAL, State(EncounterState), default=EncounterState.PLANNED
    )
    clock_started_at: Mapped[datetime | None] = moment(nullable=True)
    acceptance_deadline: Mapped[datetime | None] = moment(nullable=True)
    late_offered_at: Mapped[datetime | None] = moment(nullable=True)
    place_kept_at: Mapped[datetime | None] = moment(nullable=True)
    started_at: Mapped[datetime | None] = moment(nullable=True)
    talk_until: Mapped[datetime | None] = moment(nullable=True)
    held_at: Mapped[datetime | None] = moment(nullable=True)
    extensions: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    paused_seconds: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    guardian_present_at: Mapped[datetime | None] = moment(nullable=True)
    advice_given: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    recording_consent: Mapped[str] = stored(DataClass.OPERATIONAL, String(10), default="")
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    end_reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("encounter.end_reason"), default="")

    @property
    def stream(self) -> str:
        """Stream of the visit's events."""
        return f"visit:{self.appointment_id}"


class FollowUp(Encounter):
    """在线复诊. `diagnoses` are those the doctor confirmed: a prescription may name no others.

    Its columns have no defaults: they would be those of the table, and so of consultations.
    """

    __mapper_args__ = {"polymorphic_identity": "follow_up"}  # noqa: RUF012
    MACHINE: ClassVar[Machine] = ENCOUNTER

    original_code: Mapped[str] = stored(DataClass.EVIDENCE, String(20), nullable=True)
    original_day: Mapped[date | None] = stored(DataClass.EVIDENCE, Date, nullable=True)
    doctor_decides: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, nullable=True)
    follow_up_confirmed_at: Mapped[datetime | None] = moment(nullable=True)
    diagnoses: Mapped[list[Diagnosis]] = stored(
        DataClass.CONTENT, EncryptedJson("encounter.diagnoses", list[Diagnosis]), nullable=True
    )


class FollowUpJudgement(Row, Base):
    """What the doctor decided before she accepted: whether it is a follow-up, and why. Once per visit, by whoever took or refused it."""

    __tablename__ = "follow_up_judgement"

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"), unique=True)
    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    is_follow_up: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean)
    reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("follow_up_judgement.reason"), default="")
    at: Mapped[datetime] = moment()


class Consultation(Encounter):
    """健康咨询: a question and an answer. It has no diagnosis to confirm, and neither record nor prescription can point at it."""

    __mapper_args__ = {"polymorphic_identity": "consultation"}  # noqa: RUF012
    MACHINE: ClassVar[Machine] = CONSULTATION

    answer: Mapped[str | None] = stored(DataClass.CONTENT, EncryptedText("encounter.answer"), nullable=True)
