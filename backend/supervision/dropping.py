"""Contents of the outbox go once their day is closed on both sides; ids, digests and the chain stay.

Which days those are is the adapter's to say: it is asked for each day that still has contents.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from foundation.actor import SYSTEM
from foundation.clock import local, local_day_start
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.intents import Handler, Work, intend
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Unavailable
from foundation.logs import log

DROP = "supervision.drop"
EVERY = timedelta(hours=1)
AT_ONCE = 1000


async def drop(work: Work[Context]) -> None:
    """One round over the days that are over; the next one is asked for whatever comes of this one."""
    context = work.context
    try:
        day = await _oldest(context, None)
        while day is not None and day < context.clock.today():
            closed = await context.adapter.closed(day)
            if closed.through is not None:
                await _drop_day(context, day, closed.through)
            day = await _oldest(context, day)
    except (Unavailable, AppError) as error:
        log.warning("closed_days_not_known", code=error.code)
    async with unit_of_work(context.db) as session:
        await intend(session, DROP, hospital_id(), due=context.clock.now() + EVERY)


async def _oldest(context: Context, after: date | None) -> date | None:
    """The first day after `after` whose events have contents."""
    query = select(func.min(OutboxEvent.occurred_at)).where(OutboxEvent.payload.is_not(None))
    if after is not None:
        query = query.where(OutboxEvent.occurred_at >= local_day_start(after + timedelta(days=1)))
    async with unit_of_work(context.db) as session:
        found: datetime | None = await session.scalar(query)
    return None if found is None else local(found).date()


async def _drop_day(context: Context, day: date, through: int) -> None:
    while True:
        async with unit_of_work(context.db) as session:
            if await drop_contents(session, day, through) < AT_ONCE:
                return


async def drop_contents(session: AsyncSession, day: date, through: int) -> int:
    """One batch of the events of `day` numbered up to `through`; returns how many contents went."""
    begin, end = local_day_start(day), local_day_start(day + timedelta(days=1))
    wanted = (
        select(OutboxEvent.id)
        .where(
            OutboxEvent.payload.is_not(None), OutboxEvent.occurred_at >= begin, OutboxEvent.occurred_at < end
        )
        .where(OutboxEvent.sealed_number <= through, OutboxEvent.relayed_at.is_not(None))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(wanted))
    if ids:
        gone = update(OutboxEvent).where(OutboxEvent.id.in_(ids)).values(payload=None)
        await session.execute(gone.execution_options(synchronize_session=False))
        detail = {"day": day.isoformat(), "through": str(through), "count": str(len(ids))}
        audit(session, SYSTEM, "event.content_dropped", "outbox_event", f"{len(ids)} rows", detail=detail)
    return len(ids)


HANDLERS: dict[str, Handler] = {DROP: drop}
STANDING = (DROP,)
