"""No-shows, the pauses they lead to, and the draws at release. Tickets themselves live in Valkey, for seconds."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class Absence(Row, Base):
    """A booked visit to which the person did not come. `pause_id` is the pause it led to: no absence counts twice."""

    __tablename__ = "absence"

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"), index=True)
    appointment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, unique=True)
    at: Mapped[datetime] = moment()
    pause_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)


class BookingPause(Row, Base):
    """A person may not book between two moments, unless staff lifted the pause."""

    __tablename__ = "booking_pause"
    __table_args__ = (Index("ix_booking_pause_person", "person_id", "ends_at"),)

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    starts_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    lifted_at: Mapped[datetime | None] = moment(nullable=True)
    lifted_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    lift_reason: Mapped[str] = stored(
        DataClass.CONTENT, EncryptedText("booking_pause.lift_reason"), default=""
    )


class ReleaseDraw(Row, Base):
    """The draw after one release of one doctor's day. `seed` is made after the last ticket and explains the order."""

    __tablename__ = "release_draw"
    __table_args__ = (UniqueConstraint("practitioner_id", "day", "released_at"),)

    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    released_at: Mapped[datetime] = moment()
    closes_at: Mapped[datetime] = moment()
    seed: Mapped[bytes | None] = stored(DataClass.OPERATIONAL, LargeBinary, nullable=True)
    tickets: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    given: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    resolved_at: Mapped[datetime | None] = moment(nullable=True)
