"""Monthly rounds and what was drawn in them."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from backend.appraisal.states import APPRAISAL, AppraisalState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, State, stored
from foundation.states import Machine


class AppraisalRound(Row, Base):
    """The drawing of one month; `month` is its first day, `seed` decided by lot, `population` how many there were."""

    __tablename__ = "appraisal_round"
    __table_args__ = (UniqueConstraint("hospital_id", "month"),)

    month: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    seed: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    each: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    population: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    drawn_at: Mapped[datetime] = moment()


class Appraisal(Row, Base):
    """One drawn prescription and the comment on it: `items` are codes of `rules.ITEMS`, none is a rational one."""

    __tablename__ = "appraisal"
    MACHINE: ClassVar[Machine] = APPRAISAL

    round_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("appraisal_round.id"), index=True)
    prescription_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("prescription.id"), unique=True
    )
    prescriber_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    state: Mapped[AppraisalState] = stored(
        DataClass.OPERATIONAL, State(AppraisalState), default=AppraisalState.DRAWN
    )
    items: Mapped[list[str]] = stored(DataClass.OPERATIONAL, JSONB, default=list)
    note: Mapped[str | None] = stored(DataClass.CONTENT, EncryptedText("appraisal.note"), nullable=True)
    judged_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    judged_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def stream(self) -> str:
        """Of its round."""
        return f"appraisal:{self.round_id}"
