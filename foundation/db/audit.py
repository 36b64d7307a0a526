"""The audit trail: append-only, sealed into a hash chain like the outbox; refusals in a transaction of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, String, Uuid
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.actor import Actor
from foundation.canonical import canonical, sha256
from foundation.db.base import Base, Row, moment
from foundation.db.bulk import insert_all
from foundation.db.columns import DataClass, EncryptedJson, stored
from foundation.db.sharing import shared
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
    session.add(
        AuditEvent(
            **line_of(
                now, actor, action, subject_kind, subject_id, outcome=outcome, code=code, detail=detail,
                request=request_id.get(),
            )
        )
    )  # fmt: skip


def line_of(
    now: datetime, actor: Actor, action: str, subject_kind: str, subject_id: UUID | str, *, request: str,
    outcome: str = "ok", code: str = "", detail: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The columns of one line, its digest with them; `request` is the request's id."""
    line: dict[str, Any] = {
        "id": new_id(), "at": now, "actor_kind": actor.kind, "actor_id": actor.id, "action": action,
        "subject_kind": subject_kind, "subject_id": str(subject_id), "outcome": outcome, "code": code,
        "detail": dict(detail or {}), "request_id": request,
    }  # fmt: skip
    line["digest"] = _digest(line)
    return line


TOLD = (
    "id", "at", "actor_kind", "actor_id", "action", "subject_kind", "subject_id", "outcome", "code", "detail", "request_id",
)  # fmt: skip


def digest_of(line: AuditEvent) -> bytes:
    """SHA-256 over the canonical plain text of a line: key rotation keeps the chain valid."""
    return _digest({name: getattr(line, name) for name in TOLD})


def _digest(line: Mapping[str, Any]) -> bytes:
    spelled = {"id": str(line["id"]), "at": line["at"].isoformat(), "actor_id": str(line["actor_id"] or "")}
    return sha256(canonical({name: line[name] for name in TOLD} | spelled))


@dataclass(frozen=True)
class _Refusal:
    """A refused verb, to be written down."""

    actor: Actor
    action: str
    subject: str
    error: AppError
    request: str


async def audit_refusal(db: Database, actor: Actor, action: str, subject: str, error: AppError) -> None:
    """Record a refused verb. The verb's own transaction is gone, and with it anything written there.

    Refusals that come at the same time share a transaction: in a rush most people are refused.
    """
    await shared(db, _write_refusals).ask(_Refusal(actor, action, subject, error, request_id.get()))


async def _write_refusals(db: Database, refusals: Sequence[_Refusal]) -> Sequence[None]:
    async with unit_of_work(db) as session:
        await insert_all(session, {AuditEvent: [_row(db.clock.now(), one) for one in refusals]})
    return [None] * len(refusals)


def _row(now: datetime, refusal: _Refusal) -> dict[str, Any]:
    kind, _, subject_id = refusal.subject.partition(":")
    return refusal_of(now, refusal.actor, refusal.action, kind, subject_id, refusal.error, refusal.request)


def refusal_of(
    now: datetime, actor: Actor, action: str, kind: str, subject_id: str, error: AppError, request: str
) -> dict[str, Any]:  # fmt: skip
    """The columns of the line of a refused verb."""
    detail = {issue.field or "-": issue.code for issue in error.issues}
    return line_of(
        now,
        actor,
        action,
        kind,
        subject_id,
        outcome="refused",
        code=error.code,
        detail=detail,
        request=request,
    )
