"""Events for others, written in the transaction that caused them.

A stream is one aggregate (a visit, a person, a catalogue) with its own sequence. The payload is a snapshot, encrypted at
rest. The sealer numbers events across the hospital afterwards, so the business transaction touches no hot row.
"""

from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Identity, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.canonical import canonical, sha256
from foundation.db.base import Base, Row, hospital_id, moment
from foundation.db.columns import DataClass, EncryptedJson, stored
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

PAYLOAD = "outbox_event.payload"


class Event(Protocol):
    """A frozen struct with a literal type name and a version of its fields."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int]


class StreamHead(Row, Base):
    """How far each stream has counted."""

    __tablename__ = "stream_head"
    __table_args__ = (UniqueConstraint("hospital_id", "stream"),)

    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)


class OutboxEvent(Row, Base):
    """One event; `digest` covers the canonical plain text, `sealed_number` and `head` are the sealer's. `payload` goes once the
    supervisor has closed its day: what is left proves what it was. `held_times` and `held_reason` are the relay's: it could not go as it is."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        UniqueConstraint("hospital_id", "stream", "sequence"),
        Index("ix_outbox_event_unsealed", "ordinal", postgresql_where="sealed_number IS NULL"),
        Index("ix_outbox_event_unrelayed", "sealed_number", postgresql_where="relayed_at IS NULL"),
        Index(
            "ix_outbox_event_held", "claimed_until", postgresql_where="relayed_at IS NULL AND held_times > 0"
        ),
        Index("ix_outbox_event_kept", "occurred_at", postgresql_where="payload IS NOT NULL"),
        Index("ix_outbox_event_occurred_at", "occurred_at", postgresql_using="brin"),
    )

    ordinal: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, Identity(), unique=True)
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    type: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    version: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    occurred_at: Mapped[datetime] = moment()
    payload: Mapped[Any] = stored(DataClass.CONTENT, EncryptedJson(PAYLOAD), nullable=True)
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    sealed_number: Mapped[int | None] = stored(DataClass.OPERATIONAL, BigInteger, unique=True)
    head: Mapped[bytes | None] = stored(DataClass.OPERATIONAL, LargeBinary)
    claimed_until: Mapped[datetime | None] = moment(nullable=True)
    relayed_at: Mapped[datetime | None] = moment(nullable=True)
    held_times: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0, server_default="0")
    held_reason: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="", server_default="")


CHANNEL = "outbox"
"""NOTIFY channel that wakes the sealer."""

_NEXT = text(
    "INSERT INTO stream_head (id, hospital_id, stream, sequence) VALUES (:id, :hospital, :stream, 1) "
    "ON CONFLICT (hospital_id, stream) DO UPDATE SET sequence = stream_head.sequence + 1 RETURNING sequence"
)


async def publish(session: AsyncSession, stream: str, event: Event) -> OutboxEvent:
    """Add `event` to `stream` in the caller's transaction and wake the sealer when it commits."""
    now = clock_of(session).now()
    await session.flush()
    found = await session.execute(_NEXT, {"id": new_id(), "hospital": hospital_id(), "stream": stream})
    row = OutboxEvent(
        id=new_id(), stream=stream, sequence=found.scalar_one(), type=event.TYPE, version=event.VERSION,
        occurred_at=now, payload=msgspec.to_builtins(event),
    )  # fmt: skip
    row.digest = digest_of(
        event_id=row.id, stream=stream, sequence=row.sequence, kind=event.TYPE, version=event.VERSION,
        occurred_at=now, payload=row.payload,
    )  # fmt: skip
    session.add(row)
    await session.execute(text(f"NOTIFY {CHANNEL}"))
    return row


def digest_of(
    *,
    event_id: UUID,
    stream: str,
    sequence: int,
    kind: str,
    version: int,
    occurred_at: datetime,
    payload: Any,
) -> bytes:
    """SHA-256 of the canonical plain text: what the chain links, and what a receiver can compute again."""
    return sha256(
        canonical(
            {
                "event_id": str(event_id),
                "stream": stream,
                "sequence": sequence,
                "type": kind,
                "version": version,
                "occurred_at": occurred_at.isoformat(),
                "payload": payload,
            }
        )
    )
