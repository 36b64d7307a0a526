"""Uploaded papers."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class PatientPaper(Row, Base):
    """A picture of a paper, its bytes in the object store, encrypted. `dated` is the day she says it bears; `decision_id` what took it up."""

    __tablename__ = "patient_paper"
    __table_args__ = (
        Index("ix_patient_paper_person", "person_id", "at"),
        Index("ix_patient_paper_decision", "decision_id"),
    )

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    account_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"))
    decision_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("eligibility_decision.id"), nullable=True
    )
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    dated: Mapped[date] = stored(DataClass.EVIDENCE, Date)
    media_type: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    size: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    small_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), default="")
    at: Mapped[datetime] = moment()
