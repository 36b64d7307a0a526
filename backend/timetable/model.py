"""Weekly sessions in versions, changes of single days, stops, the calendar, pharmacists' hours, where slots come from."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped

from backend.timetable.rules import Span
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored

HOURS = "begins >= 0 AND begins < ends AND ends <= 1440 AND segment > 0 AND capacity >= 0"


class _Hours:
    """A span of a Shanghai day in minutes, and how it is cut."""

    begins: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    ends: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    segment: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    capacity: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    held_follow_up: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    held_staff: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    held_referral: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    mode: Mapped[str] = stored(DataClass.OPERATIONAL, String(10), default="any")
    price_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))

    @property
    def span(self) -> Span:
        """As the rules see it."""
        return Span(
            self.begins, self.ends, self.segment, self.capacity, self.held_follow_up, self.held_staff,
            self.held_referral, self.mode, self.price_code,
        )  # fmt: skip


class WeeklySession(_Hours, Row, Base):
    """One version of a session that a doctor sits every week on `weekday` (1 is Monday); `series_id` joins the versions.

    A version that was replaced before its first day has `valid_to` before `valid_from`: it never held.
    """

    __tablename__ = "weekly_session"
    __table_args__ = (
        UniqueConstraint("series_id", "version"),
        CheckConstraint(f"{HOURS} AND weekday BETWEEN 1 AND 7", name="hours"),
        Index("ix_weekly_session_practitioner", "practitioner_id", "weekday"),
    )

    series_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    version: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=1)
    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    department_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), ForeignKey("department.code"))
    weekday: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    on_holidays: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    valid_from: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    valid_to: Mapped[date | None] = stored(DataClass.OPERATIONAL, Date, nullable=True)


class DaySession(_Hours, Row, Base):
    """What is different on one day: other hours for a series, a series left out (`dropped`), or one more session."""

    __tablename__ = "day_session"
    __table_args__ = (
        UniqueConstraint("series_id", "day"),
        CheckConstraint(HOURS, name="hours"),
        Index("ix_day_session_practitioner", "practitioner_id", "day"),
    )

    series_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    department_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), ForeignKey("department.code"))
    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    dropped: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(100), default="")


class Stoppage(Row, Base):
    """From `starts_at` to `ends_at` nothing of a doctor, or of a whole department, is open (停诊)."""

    __tablename__ = "stoppage"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint("(practitioner_id IS NULL) <> (department_code IS NULL)", name="whose"),
        Index("ix_stoppage_ends_at", "ends_at"),
    )

    practitioner_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"), nullable=True
    )
    department_code: Mapped[str | None] = stored(
        DataClass.OPERATIONAL, String(20), ForeignKey("department.code"), nullable=True
    )
    starts_at: Mapped[datetime] = moment()
    ends_at: Mapped[datetime] = moment()
    reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(100))
    made_at: Mapped[datetime] = moment()
    lifted_at: Mapped[datetime | None] = moment(nullable=True)


class CalendarDay(Row, Base):
    """A `holiday`, or a make-up `workday` that works as the weekday `as_weekday` (practice.md 10)."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        UniqueConstraint("hospital_id", "day"),
        CheckConstraint("kind IN ('holiday', 'workday') AND as_weekday BETWEEN 1 AND 7", name="kind"),
    )

    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    as_weekday: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=1)
    name: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))


class PharmacistHours(Row, Base):
    """When a pharmacist is planned to review: every `weekday`, or on one `day`. `ends` beyond 1440 is the next morning."""

    __tablename__ = "pharmacist_hours"
    __table_args__ = (
        CheckConstraint("begins >= 0 AND begins < 1440 AND begins < ends AND ends <= 2880", name="hours"),
        CheckConstraint("(weekday IS NULL) <> (day IS NULL)", name="when"),
    )

    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    weekday: Mapped[int | None] = stored(DataClass.OPERATIONAL, Integer, nullable=True)
    day: Mapped[date | None] = stored(DataClass.OPERATIONAL, Date, nullable=True)
    begins: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    ends: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    valid_from: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    valid_to: Mapped[date | None] = stored(DataClass.OPERATIONAL, Date, nullable=True)


class ScheduleSource(Row, Base):
    """Where slots of a department (of one doctor when named) come from: `own` sessions, or `his`; how the mirror fares."""

    __tablename__ = "schedule_source"
    __table_args__ = (
        UniqueConstraint("department_code", "practitioner_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("source IN ('own', 'his')", name="source"),
    )

    department_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), ForeignKey("department.code"))
    practitioner_id: Mapped[UUID | None] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"), nullable=True
    )
    source: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    changed_at: Mapped[datetime] = moment()
    tried_at: Mapped[datetime | None] = moment(nullable=True)
    read_at: Mapped[datetime | None] = moment(nullable=True)
    problem: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), default="")


class MirroredSlot(Row, Base):
    """Which slot of the hospital's system a slot of ours mirrors; `seen_at` is when it was last there."""

    __tablename__ = "mirrored_slot"

    slot_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("slot.id"), unique=True)
    external_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), unique=True)
    seen_at: Mapped[datetime] = moment()
