"""Every few minutes: tells the adapter what the outbox sent of each day that is not closed, and sends again what did not arrive.

So a hole between the two is named by whoever counts, not by whoever lost something.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarms
from backend.context import Context
from backend.supervision import dropping
from contracts.days import Sent
from foundation.clock import local_day_start
from foundation.db.base import hospital_id
from foundation.db.intents import Handler, Work, intend
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Unavailable
from foundation.logs import log

TELL = "supervision.days"
EVERY = timedelta(minutes=2)
DAY_LATE = timedelta(days=2)
ENDS_SOON = 30
"""Days before its end at which a certificate rings."""
WAITING, DAY_OPEN, CERTIFICATE = "supervision_waiting", "supervision_day_open", "supervision_certificate"
SUBJECT = "adapter"


async def tell(work: Work[Context]) -> None:
    """One round; the next one is asked for whatever comes of this one."""
    context = work.context
    try:
        days = await context.adapter.days_wanted()
        for day in days:
            await _tell(context, day)
        await _ring(context, days)
    except (Unavailable, AppError) as error:
        log.warning("days_not_told", code=error.code)
    async with unit_of_work(context.db) as session:
        await intend(session, TELL, hospital_id(), due=context.clock.now() + EVERY)


async def _tell(context: Context, day: date) -> None:
    async with unit_of_work(context.db) as session:
        sent = await sent_of(session, day)
    heard = await context.adapter.tell(day, sent)
    if heard.missing:
        async with unit_of_work(context.db) as session:
            again = await send_again(session, heard.missing)
        log.warning("events_sent_again", day=day.isoformat(), missing=heard.missing[:10], again=again)


async def sent_of(session: AsyncSession, day: date) -> Sent:
    """The outbox's totals of `day`, up to the highest number that one of its events has."""
    begin, end = local_day_start(day), local_day_start(day + timedelta(days=1))
    number = OutboxEvent.sealed_number
    query = select(func.max(number), func.count(number), func.count().filter(number.is_(None))).where(
        OutboxEvent.occurred_at >= begin, OutboxEvent.occurred_at < end
    )
    last, events, unsealed = (await session.execute(query)).one()
    head = await session.scalar(select(OutboxEvent.head).where(number == last)) if last else None
    return Sent(events, last or 0, head.hex() if head else "", unsealed)


async def send_again(session: AsyncSession, missing: Sequence[Sequence[int]]) -> int:
    """Numbers that the adapter lacks go on the relay's list once more; the adapter keeps each event once."""
    number = OutboxEvent.sealed_number
    wanted = or_(*(number.between(first, last) for first, last in missing))
    now_sent = OutboxEvent.relayed_at.is_not(None) & OutboxEvent.payload.is_not(None)
    moved = await session.scalars(
        update(OutboxEvent)
        .where(wanted, now_sent)
        .values(relayed_at=None, claimed_until=None)
        .returning(OutboxEvent.id)
    )
    return len(moved.all())


async def _ring(context: Context, days: Sequence[date]) -> None:
    """What a person has to see to, and what is over."""
    overview, links = await context.adapter.overview(), await context.adapter.connections()
    waiting = overview.rejected + overview.parked - overview.carried_over + overview.sign_ins_refused
    late = [day for day in days if context.clock.now() - local_day_start(day) > DAY_LATE + timedelta(days=1)]
    ends = [one.what for one in links.certificates if one.days_left is not None and one.days_left < ENDS_SOON]
    told = (
        (WAITING, f"{waiting} 条记录" if waiting else "", "/desk/submissions"),
        (DAY_OPEN, "、".join(day.isoformat() for day in late[:10]), "/desk/statements"),
        (CERTIFICATE, "、".join(ends), "/desk/connections"),
    )
    async with unit_of_work(context.db) as session:
        for kind, detail, link in told:
            if detail:
                await alarms.ring(session, kind, SUBJECT, detail, link=link)
            else:
                await alarms.over(session, kind, SUBJECT)


HANDLERS: dict[str, Handler] = {TELL: tell, **dropping.HANDLERS}
STANDING = (TELL, *dropping.STANDING)
"""Always open: the worker asks for it when it starts."""
