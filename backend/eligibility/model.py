"""Decisions with their frozen evidence."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class EligibilityDecision(Row, Base):
    """One decision; `facts` are the visit ids, codes, dates and hashes it was made from, so it can be made again."""

    __tablename__ = "eligibility_decision"
    __table_args__ = (Index("ix_eligibility_decision_person", "person_id", "decided_at"),)

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    account_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"), nullable=True
    )
    diagnosis_code: Mapped[str] = stored(DataClass.EVIDENCE, String(20))
    outcome: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    level: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    rule_version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    booking_day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    visit_id: Mapped[str] = stored(DataClass.EVIDENCE, String(80), default="")
    evidence_code: Mapped[str] = stored(DataClass.EVIDENCE, String(20), default="")
    evidence_day: Mapped[date | None] = stored(DataClass.EVIDENCE, Date, nullable=True)
    resource_hash: Mapped[str] = stored(DataClass.EVIDENCE, String(64), default="")
    facts: Mapped[list[dict[str, Any]]] = stored(DataClass.EVIDENCE, JSONB)
    decided_at: Mapped[datetime] = moment()
