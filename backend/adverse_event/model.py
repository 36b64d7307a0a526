"""Adverse events and the reports about them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.adverse_event.states import ADVERSE_EVENT, AdverseEventState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, State, stored
from foundation.states import Machine


class AdverseEvent(Row, Base):
    """One event. `reports` counts what was told about it, `urgent` says that the last one tells of grave harm.

    Name and telephone are the patient's of that day, of the visit or as typed. `grade`, `note` and `result` are the quality department's.
    """

    __tablename__ = "adverse_event"
    MACHINE: ClassVar[Machine] = ADVERSE_EVENT

    number: Mapped[str] = stored(DataClass.OPERATIONAL, String(30), unique=True)
    state: Mapped[AdverseEventState] = stored(
        DataClass.OPERATIONAL, State(AdverseEventState), default=AdverseEventState.REPORTED, index=True
    )
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    encounter_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"), nullable=True
    )
    patient_name: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("adverse_event.patient_name"))
    patient_phone: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("adverse_event.patient_phone"))
    reporter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("staff.id"), index=True)
    reports: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=1)
    urgent: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean)
    reported_at: Mapped[datetime] = moment()
    grade: Mapped[str] = stored(DataClass.OPERATIONAL, String(4), default="")
    note: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("adverse_event.note"), default="")
    accepted_at: Mapped[datetime | None] = moment(nullable=True)
    accepted_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    result: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("adverse_event.result"), default="")
    closed_at: Mapped[datetime | None] = moment(nullable=True)
    closed_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")

    @property
    def stream(self) -> str:
        """Stream of the event's reports."""
        return f"adverse_event:{self.id}"


class AdverseReport(Row, Base):
    """What was told, once, under the number the city knows it by. Never changed."""

    __tablename__ = "adverse_report"
    __table_args__ = (UniqueConstraint("event_id", "sequence"),)

    event_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("adverse_event.id"))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    number: Mapped[str] = stored(DataClass.OPERATIONAL, String(36), unique=True)
    happened_at: Mapped[datetime] = moment()
    description: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("adverse_report.description"))
    cause: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("adverse_report.cause"))
    measures: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("adverse_report.measures"))
    damage: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("adverse_report.damage"))
    improvements: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("adverse_report.improvements"))
    reporter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("staff.id"))
    reporter_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    department: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    reported_at: Mapped[datetime] = moment()
