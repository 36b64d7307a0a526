"""Complaints."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.orm import Mapped

from backend.complaint.states import COMPLAINT, ComplaintState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, State, stored
from foundation.states import Machine


class Complaint(Row, Base):
    """One complaint of a person, about a visit or about something else."""

    __tablename__ = "complaint"
    MACHINE: ClassVar[Machine] = COMPLAINT

    account_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"), index=True)
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    encounter_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    state: Mapped[ComplaintState] = stored(
        DataClass.OPERATIONAL, State(ComplaintState), default=ComplaintState.OPEN
    )
    words: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("complaint.words"))
    answer: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("complaint.answer"), default="")
    filed_at: Mapped[datetime] = moment()
    answer_by: Mapped[datetime] = moment()
    answered_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def stream(self) -> str:
        """Stream of the complaint's events."""
        return f"complaint:{self.id}"
