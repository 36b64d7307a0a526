"""Ratings."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class Evaluation(Row, Base):
    """One rating of one visit: satisfaction 1–5, score 0–10, words."""

    __tablename__ = "evaluation"

    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("encounter.id"), unique=True)
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    satisfaction: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    score: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    words: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("evaluation.words"), default="")
    at: Mapped[datetime] = moment()
