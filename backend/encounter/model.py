"""Encounters."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Date, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped

from backend.encounter.states import ENCOUNTER, EncounterState
from contracts.events import Diagnosis
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, EncryptedText, State, stored
from foundation.states import Machine


class Encounter(Row, Base):
    """One online follow-up. `diagnoses` are those the doctor confirmed: a prescription may name no others.

    `acceptance_deadline` is the earliest moment at which the acceptance clock can have run out; it moves while the doctor is
    in another visit. When it grows late the patient is offered her money or her place (`late_offered_at`, `place_kept_at`).
    """

    __tablename__ = "encounter"
    __table_args__ = (Index("ix_encounter_practitioner", "practitioner_id", "state"),)
    MACHINE: ClassVar[Machine] = ENCOUNTER

    appointment_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("appointment.id"), unique=True
    )
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"), index=True)
    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="follow_up")
    state: Mapped[EncounterState] = stored(
        DataClass.OPERATIONAL, State(EncounterState), default=EncounterState.PLANNED
    )
    original_code: Mapped[str] = stored(DataClass.EVIDENCE, String(20))
    original_day: Mapped[date | None] = stored(DataClass.EVIDENCE, Date, nullable=True)
    doctor_decides: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    clock_started_at: Mapped[datetime | None] = moment(nullable=True)
    acceptance_deadline: Mapped[datetime | None] = moment(nullable=True)
    late_offered_at: Mapped[datetime | None] = moment(nullable=True)
    place_kept_at: Mapped[datetime | None] = moment(nullable=True)
    started_at: Mapped[datetime | None] = moment(nullable=True)
    follow_up_confirmed_at: Mapped[datetime | None] = moment(nullable=True)
    guardian_present_at: Mapped[datetime | None] = moment(nullable=True)
    diagnoses: Mapped[list[Diagnosis]] = stored(
        DataClass.CONTENT, EncryptedJson("encounter.diagnoses", list[Diagnosis]), default=list
    )
    advice_given: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    recording_consent: Mapped[str] = stored(DataClass.OPERATIONAL, String(10), default="")
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    end_reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("encounter.end_reason"), default="")

    @property
    def stream(self) -> str:
        """Stream of the visit's events."""
        return f"visit:{self.appointment_id}"
