"""The audit trail: append-only, sealed into a hash chain like the outbox; refusals in a transaction of their own."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, String, Uuid
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.actor import Actor
from foundation.canonical import canonical, sha256
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, stored
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import AppError
from foundation.ids import new_id
from foundation.logs import request_id


class AuditEvent(Row, Base):
    """Who did or tried what to which subject, and how it ended. `action` is a dotted name a person can be shown."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_unsealed", "ordinal", postgresql_where="sealed_number IS NULL"),
        Index("ix_audit_event_subject", "subject_kind", "subject_id"),
    )

    ordinal: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, Identity(), unique=True)
    at: Mapped[datetime] = moment()
    actor_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    actor_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid)
    action: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    subject_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    subject_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    outcome: Mapped[str] = stored(DataClass.OPERATIONAL, String(16))
    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    detail: Mapped[dict[str, str]] = stored(
        DataClass.PERSONAL, EncryptedJson("audit_event.detail", dict[str, str])
    )
    request_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    sealed_number: Mapped[int | None] = stored(DataClass.OPERATIONAL, BigInteger, unique=True)
    head: Mapped[bytes | None] = stored(DataClass.OPERATIONAL, LargeBinary)


def audit(
    session: AsyncSession,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID | str,
    *,
    outcome: str = "ok",
    code: str = "",
    detail: Mapping[str, str] | None = None,
) -> None:
    """Add one line in the caller's transaction."""
    now = clock_of(session).now()
    line = AuditEvent(
        id=new_id(), at=now, actor_kind=actor.kind, actor_id=actor.id, action=action, subject_kind=subject_kind,
        subject_id=str(subject_id), outcome=outcome, code=code, detail=dict(detail or {}), request_id=request_id.get(),
    )  # fmt: skip
    line.digest = digest_of(line)
    session.add(line)


def digest_of(line: AuditEvent) -> bytes:
    """SHA-256 over the canonical plain text of a line: key rotation keeps the chain valid."""
    return sha256(
        canonical(
            {
                "id": str(line.id),
                "at": line.at.isoformat(),
                "actor_kind": line.actor_kind,
                "actor_id": str(line.actor_id or ""),
                "action": line.action,
                "subject_kind": line.subject_kind,
                "subject_id": line.subject_id,
                "outcome": line.outcome,
                "code": line.code,
                "detail": line.detail,
                "request_id": line.request_id,
            }
        )
    )


async def audit_refusal(db: Database, actor: Actor, action: str, subject: str, error: AppError) -> None:
    """Record a refused verb. The verb's own transaction is gone, and with it anything written there."""
    kind, _, subject_id = subject.partition(":")
    detail = {issue.field or "-": issue.code for issue in error.issues}
    async with unit_of_work(db) as session:
        audit(session, actor, action, kind, subject_id, outcome="refused", code=error.code, detail=detail)
