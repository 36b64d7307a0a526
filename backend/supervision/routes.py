"""What the supervisor and the hospital do not have yet, in all and for one visit."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from backend.appointment import queries as appointments
from backend.edge import ADMIN, CLERK, DOCTOR, QUALITY, ApiCall, ApiEndpoint, Family
from backend.supervision import desk_routes
from backend.supervision.queries import undelivered
from backend.writeback.model import WriteBack
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.web.endpoint import get


class FeedFigures(msgspec.Struct, frozen=True):
    """Counts of the feed on our side; `oldest` is the oldest event the adapter does not have, `held` cannot go as they are."""

    delivered: int
    undelivered: int
    oldest: datetime | None
    parked_work: int
    held: int


class VisitFeed(msgspec.Struct, frozen=True):
    """Events of one visit with their ids; `undelivered` is how many the adapter does not have."""

    events: list[str]
    event_ids: list[UUID]
    undelivered: int


class WriteBackView(msgspec.Struct, frozen=True):
    """One step of the write-back."""

    id: UUID
    step: str
    acknowledged_at: datetime | None
    refused_code: str


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one subject, of one actor, or only refusals; newest first, 200 at most."""

    subject_id: str | None = None
    actor_id: UUID | None = None
    outcome: str | None = None


class AuditLine(msgspec.Struct, frozen=True):
    """One line of the audit trail; `number` is its place in the sealed chain, empty for a moment after it was written."""

    number: int | None
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    action: str
    subject_kind: str
    subject_id: str
    outcome: str
    code: str
    request_id: str


async def audit_trail(call: ApiCall) -> list[AuditLine]:
    """Who did or tried what; looking is itself a line."""
    wanted: AuditQuery = call.query
    query = select(AuditEvent).order_by(AuditEvent.ordinal.desc()).limit(200)
    if wanted.subject_id is not None:
        query = query.where(AuditEvent.subject_id == wanted.subject_id)
    if wanted.actor_id is not None:
        query = query.where(AuditEvent.actor_id == wanted.actor_id)
    if wanted.outcome is not None:
        query = query.where(AuditEvent.outcome == wanted.outcome)
    return [
        AuditLine(
            row.sealed_number, row.at, row.actor_kind, row.actor_id, row.action, row.subject_kind, row.subject_id,
            row.outcome, row.code, row.request_id,
        )
        for row in await call.session.scalars(query)
    ]  # fmt: skip


async def figures(call: ApiCall) -> FeedFigures:
    """The feed as it stands."""
    waiting = OutboxEvent.relayed_at.is_(None)
    delivered = await call.session.scalar(select(func.count()).select_from(OutboxEvent).where(~waiting))
    ours = await undelivered(call.session)
    parked = await call.session.scalar(
        select(func.count()).select_from(Intent).where(Intent.parked_at.is_not(None))
    )
    return FeedFigures(delivered or 0, ours.count, ours.oldest, parked or 0, ours.held)


async def visit_feed(call: ApiCall) -> VisitFeed:
    """What was reported of one visit."""
    row = await appointments.visible(call.session, call.actor, call.id())
    query = select(OutboxEvent).where(OutboxEvent.stream == row.stream).order_by(OutboxEvent.sequence)
    found = (await call.session.scalars(query)).all()
    waiting = sum(event.relayed_at is None for event in found)
    return VisitFeed([event.type for event in found], [event.id for event in found], waiting)


async def write_backs(call: ApiCall) -> list[WriteBackView]:
    """What was written back to the hospital of one visit."""
    row = await appointments.visible(call.session, call.actor, call.id())
    query = (
        select(WriteBack).where(WriteBack.appointment_id == row.id).order_by(WriteBack.order, WriteBack.id)
    )
    return [
        WriteBackView(step.id, step.step, step.acknowledged_at, step.refused_code)
        for step in await call.session.scalars(query)
    ]


STAFF_OF_VISIT = (DOCTOR, CLERK, QUALITY, ADMIN)
ENDPOINTS: list[ApiEndpoint] = [
    *desk_routes.ENDPOINTS,
    get("/supervision/figures", figures, reply=FeedFigures, summary="监管上报情况", family=Family.COLLABORATION,
        roles=[ADMIN, QUALITY]),
    get("/audit-events", audit_trail, reply=list[AuditLine], query=AuditQuery, summary="审计记录",
        family=Family.COLLABORATION, roles=[ADMIN, QUALITY], audited="audit.view"),
    get("/appointments/{id}/feed", visit_feed, reply=VisitFeed, summary="本次就诊的监管上报",
        family=Family.COLLABORATION, roles=STAFF_OF_VISIT),
    get("/appointments/{id}/write-backs", write_backs, reply=list[WriteBackView], summary="本次就诊的院内回写",
        family=Family.COLLABORATION, roles=STAFF_OF_VISIT),
]  # fmt: skip
