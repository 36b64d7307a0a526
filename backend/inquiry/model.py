"""Questions of the city's supervisors."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.inquiry.states import INQUIRY, InquiryState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, State, stored
from foundation.states import Machine


class Inquiry(Row, Base):
    """One question. `question_id` is the platform's, `asked_by` the actor made from the supervisor's account there."""

    __tablename__ = "inquiry"
    __table_args__ = (UniqueConstraint("hospital_id", "question_id"),)
    MACHINE: ClassVar[Machine] = INQUIRY

    question_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    asked_by: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    supervisor: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("inquiry.supervisor"))
    encounter_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"), nullable=True
    )
    authority: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    state: Mapped[InquiryState] = stored(
        DataClass.OPERATIONAL, State(InquiryState), default=InquiryState.OPEN
    )
    title: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("inquiry.title"))
    words: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("inquiry.words"))
    answer: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("inquiry.answer"), default="")
    asked_at: Mapped[datetime] = moment()
    answer_by: Mapped[datetime] = moment()
    answered_at: Mapped[datetime | None] = moment(nullable=True)
    answered_name: Mapped[str] = stored(
        DataClass.PERSONAL, EncryptedText("inquiry.answered_name"), default=""
    )

    @property
    def stream(self) -> str:
        """Stream of the question's changes."""
        return f"inquiry:{self.id}"
