"""Appointments."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from backend.appointment.states import APPOINTMENT, AppointmentState
from backend.schedule.rules import Channel
from contracts.events import Guardian
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, EncryptedText, State, stored
from foundation.states import Machine

FOLLOW_UP, CONSULTATION = "follow_up", "consultation"
"""`kind`: only a follow-up rests on an eligibility decision, and always."""
_OPEN = "state IN ('pending', 'booked', 'checked-in')"


class Appointment(Row, Base):
    """One place of one person. `serial_number` (序号) comes from the slot's counter.

    Without an account it was booked at the counter. `channel` is how she came, `place` whose share the place was taken
    from: there it goes back to. The hospital moved it away from `moved_from`; until `answer_by` she may take all her money
    instead.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        Index("uq_appointment_open", "slot_id", "person_id", unique=True, postgresql_where=_OPEN),
        Index("ix_appointment_person_day", "person_id", "day"),
        CheckConstraint("(kind = 'consultation') = (eligibility_id IS NULL)", name="follow_ups_are_eligible"),
        Index("ix_appointment_queue", "practitioner_id", "day", postgresql_where=_OPEN),
    )
    MACHINE: ClassVar[Machine] = APPOINTMENT

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    account_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"), nullable=True, index=True
    )
    slot_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("slot.id"))
    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    department_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    encounter_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default=FOLLOW_UP, server_default=FOLLOW_UP)
    eligibility_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("eligibility_decision.id"), nullable=True
    )
    state: Mapped[AppointmentState] = stored(
        DataClass.OPERATIONAL, State(AppointmentState), default=AppointmentState.PENDING
    )
    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    starts_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    serial_number: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    channel: Mapped[Channel] = stored(DataClass.OPERATIONAL, State(Channel), default=Channel.GENERAL)
    place: Mapped[Channel] = stored(DataClass.OPERATIONAL, State(Channel), default=Channel.GENERAL)
    booked_by: Mapped[str] = stored(DataClass.OPERATIONAL, String(12), default="self")
    mode: Mapped[str] = stored(DataClass.OPERATIONAL, String(10), default="video")
    complaint: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("appointment.complaint"), default="")
    guardian: Mapped[Guardian | None] = stored(
        DataClass.PERSONAL, EncryptedJson("appointment.guardian", Guardian | None), nullable=True
    )
    hold_expires_at: Mapped[datetime] = moment()
    booked_at: Mapped[datetime | None] = moment(nullable=True)
    checked_in_at: Mapped[datetime | None] = moment(nullable=True)
    cancelled_at: Mapped[datetime | None] = moment(nullable=True)
    moved_from: Mapped[datetime | None] = moment(nullable=True)
    answer_by: Mapped[datetime | None] = moment(nullable=True)
    cancel_reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")

    @property
    def stream(self) -> str:
        """Stream of the visit's events."""
        return f"visit:{self.id}"
