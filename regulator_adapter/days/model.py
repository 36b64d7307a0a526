"""Rows: what both sides said of a day, and the counts that people read from a platform's page."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, State, stored
from foundation.states import Machine
from regulator_adapter.days.states import STATEMENT, DayState


class Statement(Row, Base):
    """One statement of one day: `supplement` 0 is the day's own, 1, 2 … followed what came after a closing.

    It covers events of the day numbered up to `through`. `sent`, `ours` and `theirs` are canonical JSON as it was said and
    signed: the outbox's totals, our statement, the platform's; `closing` is what we sealed when the day closed, with the
    names of the persons who answer for what is in it. `differences` is what keeps it open, `repairs` what the platform had lost
    and was sent again. `scanned`: up to this number every event had its day's statement when this row was made, so that nobody has to
    look there again.
    """

    MACHINE: ClassVar[Machine] = STATEMENT

    __tablename__ = "statement"
    __table_args__ = (
        UniqueConstraint("hospital_id", "day", "supplement"),
        Index(
            "ix_statement_unclosed", "hospital_id", "day", unique=True, postgresql_where="closed_at IS NULL"
        ),
    )

    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    supplement: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    state: Mapped[DayState] = stored(DataClass.OPERATIONAL, State(DayState), default=DayState.OPEN)
    through: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    scanned: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    events: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    sent: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    ours: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    our_seal: Mapped[Any] = stored(DataClass.OPERATIONAL, JSONB, nullable=True)
    theirs: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    their_seal: Mapped[Any] = stored(DataClass.OPERATIONAL, JSONB, nullable=True)
    closing: Mapped[str | None] = stored(
        DataClass.PERSONAL, EncryptedText("statement.closing"), nullable=True
    )
    closing_seal: Mapped[Any] = stored(DataClass.OPERATIONAL, JSONB, nullable=True)
    differences: Mapped[list[dict[str, Any]]] = stored(DataClass.OPERATIONAL, JSONB, default=list)
    repairs: Mapped[list[dict[str, Any]]] = stored(DataClass.OPERATIONAL, JSONB, default=list)
    claimed_until: Mapped[datetime | None] = moment(nullable=True)
    exchanged_at: Mapped[datetime | None] = moment(nullable=True)
    closed_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def stream(self) -> str:
        """The aggregate of this row."""
        return f"day:{self.day.isoformat()}"


class PlatformCount(Row, Base):
    """How many records of one kind and day a platform's page shows, as a named person read it.

    `duplicates` of them are records that the platform stored twice; never more than were sent again without an answer.
    """

    __tablename__ = "platform_count"
    __table_args__ = (UniqueConstraint("statement_id", "profile", "method"),)

    statement_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("statement.id"))
    profile: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    method: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    count: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    duplicates: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    entered_by: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("platform_count.entered_by"))
    entered_at: Mapped[datetime] = moment()


class FrozenRecords(Row, Base):
    """A page of the records of a statement as they stood when it was closed, packed (see `closing.py`)."""

    __tablename__ = "frozen_records"
    __table_args__ = (UniqueConstraint("statement_id", "page"),)

    statement_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("statement.id"))
    page: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    records: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)


TABLES = (Statement.__tablename__, PlatformCount.__tablename__, FrozenRecords.__tablename__)
