"""Filing practitioners."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner import queries
from backend.practitioner.model import Filing, Practitioner
from contracts import events
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of


async def announce(session: AsyncSession, row: Practitioner) -> None:
    """Tell the supervisor how a practitioner is filed now."""
    filings = (await session.scalars(select(Filing).where(Filing.practitioner_id == row.id))).all()
    departments = [
        queries.department_snapshot(await queries.department(session, filing.department_code))
        for filing in filings
    ]
    until: date | None = min((filing.filed_until for filing in filings if filing.filed_until), default=None)
    await publish(
        session,
        row.stream,
        events.PractitionerChanged(
            practitioner=queries.snapshot(row), kind=row.kind, departments=departments, filed_until=until,
            active=row.active, changed_at=clock_of(session).now(),
        ),
    )  # fmt: skip


async def set_active(
    session: AsyncSession, actor: Actor, practitioner_id: UUID, *, active: bool
) -> Practitioner:
    """Suspend or re-admit."""
    row = await lock(session, Practitioner, practitioner_id)
    if row.active != active:
        row.active = active
        audit(
            session, actor, "practitioner.set_active", "practitioner", row.id, detail={"active": str(active)}
        )
        await announce(session, row)
    return row
