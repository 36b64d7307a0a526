"""Decisions with their frozen evidence."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class EligibilityDecision(Row, Base):
    """One decision; `facts` are the codes, dates and hashes it was made from, so it can be made again under its own rule version.

    Of the hospital's records only diagnoses near the one asked for are in `facts` (`rules.relevant`), without names and visit
    numbers; `considered` counts all that were looked at. `acute`: the name of `diagnosis_code` forbids a broad match.
    `papers`: kind, day and hash of what she uploaded. `only_department`: the place has to be there, empty for anywhere.
    """

    __tablename__ = "eligibility_decision"
    __table_args__ = (Index("ix_eligibility_decision_person", "person_id", "decided_at"),)

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    account_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("account.id"), nullable=True
    )
    diagnosis_code: Mapped[str] = stored(DataClass.EVIDENCE, String(20))
    acute: Mapped[bool] = stored(DataClass.EVIDENCE, Boolean, default=False)
    outcome: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    level: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    rule_version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    rule_sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    booking_day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    visit_id: Mapped[str] = stored(DataClass.EVIDENCE, String(80), default="")
    evidence_code: Mapped[str] = stored(DataClass.EVIDENCE, String(20), default="")
    evidence_day: Mapped[date | None] = stored(DataClass.EVIDENCE, Date, nullable=True)
    resource_hash: Mapped[str] = stored(DataClass.EVIDENCE, String(64), default="")
    facts: Mapped[list[dict[str, Any]]] = stored(DataClass.EVIDENCE, JSONB)
    considered: Mapped[int] = stored(DataClass.EVIDENCE, Integer, default=0)
    papers: Mapped[list[dict[str, Any]]] = stored(DataClass.EVIDENCE, JSONB, default=list)
    only_department: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    decided_at: Mapped[datetime] = moment()
