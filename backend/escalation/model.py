"""Escalations and the rungs they climbed."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from backend.escalation.rules import Kind, Rung
from backend.escalation.states import ESCALATION, EscalationState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, State, stored
from foundation.states import Machine


class Escalation(Row, Base):
    """One thing that waits for one doctor. `round` counts how often it became unseen again; `about` says what, for a lock screen."""

    __tablename__ = "escalation"
    __table_args__ = (
        Index("uq_escalation_open", "kind", "subject_id", unique=True, postgresql_where="state <> 'closed'"),
        Index("ix_escalation_doctor", "practitioner_id", postgresql_where="state <> 'closed'"),
    )
    MACHINE: ClassVar[Machine] = ESCALATION

    kind: Mapped[Kind] = stored(DataClass.OPERATIONAL, State(Kind))
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, index=True)
    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    state: Mapped[EscalationState] = stored(
        DataClass.OPERATIONAL, State(EscalationState), default=EscalationState.OPEN
    )
    about: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("escalation.about"))
    link: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    round: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    raised_at: Mapped[datetime] = moment()
    unseen_since: Mapped[datetime] = moment()
    seen_at: Mapped[datetime | None] = moment(nullable=True)
    seen_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    closed_at: Mapped[datetime | None] = moment(nullable=True)
    close_reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")

    @property
    def stream(self) -> str:
        """Stream of the doctor's notices."""
        return f"escalations:{self.practitioner_id}"


class EscalationStep(Row, Base):
    """One rung climbed: to whom, with which message (none where nothing is sent). Its delivery is the message's."""

    __tablename__ = "escalation_step"

    escalation_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("escalation.id"), index=True)
    rung: Mapped[Rung] = stored(DataClass.OPERATIONAL, State(Rung))
    round: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    recipient_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    message_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("notification.id"), nullable=True
    )
    bundled: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=1)
    at: Mapped[datetime] = moment()
