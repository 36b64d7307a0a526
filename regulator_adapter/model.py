"""Rows: what arrived, and what became of it."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
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
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped

from foundation.db.audit import AuditEvent
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, EncryptedText, State, stored
from foundation.db.sealer import ChainHead
from foundation.states import Machine
from regulator_adapter.states import MACHINE, SIGN_IN, SignInState, SubmissionState

_OPEN = "state IN ('received', 'mapped', 'submitted')"


class ReceivedEvent(Row, Base):
    """One event as it arrived. `linked`: whether it follows the number before it; None while that one is missing. `payload` goes once
    its day is closed. `records`: how many it became on arrival, so that one that vanishes is missed; None before that was counted."""

    __tablename__ = "received_event"
    __table_args__ = (
        UniqueConstraint("hospital_id", "number"),
        Index("ix_received_event_stream", "hospital_id", "stream", "sequence"),
        Index("ix_received_event_occurred_at", "occurred_at", postgresql_using="brin"),
        Index("ix_received_event_kept", "occurred_at", postgresql_where="payload IS NOT NULL"),
    )

    event_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, unique=True)
    type: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    version: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    number: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger)
    occurred_at: Mapped[datetime] = moment()
    received_at: Mapped[datetime] = moment()
    payload: Mapped[Any] = stored(DataClass.CONTENT, EncryptedJson("received_event.payload"), nullable=True)
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    head: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    linked: Mapped[bool | None] = stored(DataClass.OPERATIONAL, Boolean)
    records: Mapped[int | None] = stored(DataClass.OPERATIONAL, Integer)


class Submission(Row, Base):
    """One record of one event on its way to one platform.

    `makes` and `needs` are numbers such as `revisit:<id>`: what an accepted record makes known, and what must be known before.
    `lane` orders open rows of one stream by `rank`; an empty lane orders nothing. `blocked`: a need is not met yet.
    `in_flight`: the request went out and no answer was written down; found so again, it is `ambiguous`.
    `carried_at`: a named person let the day close without this record; it stays rejected or parked, and visible.
    """

    MACHINE: ClassVar[Machine] = MACHINE

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("event_id", "profile", "method", "business_number"),
        Index("ix_submission_unmapped", "number", postgresql_where="state = 'received'"),
        Index("ix_submission_due", "profile", "number", postgresql_where=_OPEN),
        Index("ix_submission_lane", "lane", "rank", postgresql_where=_OPEN),
        Index("ix_submission_blocked", "profile", postgresql_where="blocked"),
        Index(
            "ix_submission_needs", "needs", postgresql_using="gin", postgresql_where=f"blocked AND {_OPEN}"
        ),
        Index("ix_submission_makes", "profile", "makes", postgresql_where="state = 'accepted'"),
        Index("ix_submission_desk", "state", "number", postgresql_where="state IN ('rejected', 'parked')"),
        Index("ix_submission_occurred_at", "occurred_at", postgresql_using="brin"),
    )

    event_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("received_event.event_id"))
    event_type: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    number: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger)
    occurred_at: Mapped[datetime] = moment()
    profile: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    method: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    business_number: Mapped[str] = stored(DataClass.OPERATIONAL, String(100))
    state: Mapped[SubmissionState] = stored(
        DataClass.OPERATIONAL, State(SubmissionState), default=SubmissionState.RECEIVED
    )
    record: Mapped[Any] = stored(DataClass.CONTENT, EncryptedJson("submission.record"), nullable=True)
    record_digest: Mapped[bytes | None] = stored(DataClass.OPERATIONAL, LargeBinary)
    makes: Mapped[str] = stored(DataClass.OPERATIONAL, String(160), default="")
    needs: Mapped[list[str]] = stored(DataClass.OPERATIONAL, ARRAY(String(160)), default=list)
    lane: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), default="")
    rank: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    blocked: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    problems: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    due_at: Mapped[datetime] = moment()
    claimed_until: Mapped[datetime | None] = moment(nullable=True)
    attempts: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    in_flight: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    ambiguous: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    alone: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    reply_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")
    reply_text: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    sent_digest: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    receipt: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), default="")
    submitted_at: Mapped[datetime | None] = moment(nullable=True)
    accepted_at: Mapped[datetime | None] = moment(nullable=True)
    carried_at: Mapped[datetime | None] = moment(nullable=True)
    carried_by: Mapped[str | None] = stored(
        DataClass.PERSONAL, EncryptedText("submission.carried_by"), nullable=True
    )
    carried_reason: Mapped[str | None] = stored(
        DataClass.CONTENT, EncryptedText("submission.carried_reason"), nullable=True
    )


class DailySignIn(Row, Base):
    """One day of a method that a platform wants to hear of every day. `records`: how many there were; with none, an empty list went out.

    The row is what makes it once a day: whoever holds its lease (`claimed_until`) may send.
    """

    MACHINE: ClassVar[Machine] = SIGN_IN

    __tablename__ = "daily_sign_in"
    __table_args__ = (UniqueConstraint("hospital_id", "profile", "method", "day"),)

    profile: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    method: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    state: Mapped[SignInState] = stored(DataClass.OPERATIONAL, State(SignInState), default=SignInState.DUE)
    records: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    due_at: Mapped[datetime] = moment()
    claimed_until: Mapped[datetime | None] = moment(nullable=True)
    attempts: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    reply_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")
    reply_text: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    sent_digest: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    closed_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def stream(self) -> str:
        """Where its events would go; it has none."""
        return f"sign_in:{self.profile}"


TABLES = tuple(
    model.__tablename__ for model in (ReceivedEvent, Submission, DailySignIn, AuditEvent, ChainHead)
)
"""What this process's migrations make; the outbox belongs to the backend."""
