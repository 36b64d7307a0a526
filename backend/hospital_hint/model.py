"""Hints as they came, and whom of ours they are about."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from contracts.hints import HintKind
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, State, stored


class HospitalHint(Row, Base):
    """One hint, once. `key` is the gateway's digest; `subject` the first of the persons, as a digest of the hospital's number."""

    __tablename__ = "hospital_hint"
    __table_args__ = (UniqueConstraint("hospital_id", "key"),)

    key: Mapped[str] = stored(DataClass.EVIDENCE, String(64))
    source: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    kind: Mapped[HintKind] = stored(DataClass.OPERATIONAL, State(HintKind))
    subject: Mapped[str] = stored(DataClass.EVIDENCE, String(64))
    sent_at: Mapped[datetime] = moment()
    received_at: Mapped[datetime] = moment()


class HintedPerson(Row, Base):
    """A person of ours whom a hint is about; `seen_at`: when her doctor looked at the records after it."""

    __tablename__ = "hinted_person"
    __table_args__ = (
        Index("ix_hinted_person_new", "person_id", postgresql_where="seen_at IS NULL"),
        UniqueConstraint("hint_id", "person_id"),
    )

    hint_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("hospital_hint.id"))
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    seen_at: Mapped[datetime | None] = moment(nullable=True)
