"""Stops and moves, and each patient they reach."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from backend.rescheduling.states import RELOCATION, RelocationState
from backend.schedule.rules import Channel
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, State, stored
from foundation.states import Machine


class ScheduleChange(Row, Base):
    """One decision: `stop` or `move` what a doctor (or a department) has between two instants; `people` were affected.

    `surplus` means that the slot stays and only those who no longer fit leave it.
    """

    __tablename__ = "schedule_change"
    __table_args__ = (
        CheckConstraint("kind IN ('stop', 'move')", name="kind"),
        CheckConstraint("practitioner_id IS NOT NULL OR department_code IS NOT NULL", name="whose"),
        Index("ix_schedule_change_made_at", "made_at"),
    )

    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    surplus: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    practitioner_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"), nullable=True
    )
    department_code: Mapped[str | None] = stored(
        DataClass.OPERATIONAL, String(20), ForeignKey("department.code"), nullable=True
    )
    starts_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(100))
    stoppage_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("stoppage.id"), nullable=True
    )
    slots: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    people: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    made_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid)
    made_at: Mapped[datetime] = moment()
    lifted_at: Mapped[datetime | None] = moment(nullable=True)


class Relocation(Row, Base):
    """One appointment of a change. `to_…` are the place that was taken for her elsewhere; none means that she is refunded."""

    __tablename__ = "relocation"
    __table_args__ = (
        Index("uq_relocation_planned", "appointment_id", unique=True, postgresql_where="state = 'planned'"),
    )
    MACHINE: ClassVar[Machine] = RELOCATION

    change_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("schedule_change.id"), index=True
    )
    appointment_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("appointment.id"), index=True
    )
    state: Mapped[RelocationState] = stored(
        DataClass.OPERATIONAL, State(RelocationState), default=RelocationState.PLANNED
    )
    from_slot_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("slot.id"))
    from_starts_at: Mapped[datetime] = moment()
    from_practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    to_slot_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("slot.id"), nullable=True
    )
    to_number: Mapped[int | None] = stored(DataClass.OPERATIONAL, Integer, nullable=True)
    to_place: Mapped[Channel] = stored(DataClass.OPERATIONAL, State(Channel), default=Channel.GENERAL)
    answer_by: Mapped[datetime | None] = moment(nullable=True)
    answered_at: Mapped[datetime | None] = moment(nullable=True)
    answered_by: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")

    @property
    def stream(self) -> str:
        """Stream of the visit's events."""
        return f"visit:{self.appointment_id}"
