"""Proposals to hand a visit over."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped

from backend.waiting.states import HANDOVER, HandoverState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, State, stored
from foundation.states import Machine


class Handover(Row, Base):
    """A colleague for a waiting patient; one proposal at a time. `answered_by` is the patient's account, or who heard her say it."""

    __tablename__ = "handover"
    __table_args__ = (
        Index("uq_handover_open", "encounter_id", unique=True, postgresql_where="state = 'proposed'"),
    )
    MACHINE: ClassVar[Machine] = HANDOVER

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"), index=True)
    appointment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("appointment.id"))
    from_practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    to_practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    state: Mapped[HandoverState] = stored(
        DataClass.OPERATIONAL, State(HandoverState), default=HandoverState.PROPOSED
    )
    proposed_by: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    proposed_at: Mapped[datetime] = moment()
    answered_at: Mapped[datetime | None] = moment(nullable=True)
    answered_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)

    @property
    def stream(self) -> str:
        """Stream of the visit's events."""
        return f"visit:{self.appointment_id}"
