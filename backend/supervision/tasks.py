"""Every few minutes: tells the adapter what the outbox sent of each day that is not closed, and sends again what did not arrive.

So a hole between the two is named by whoever counts, not by whoever lost something. That goes for the days, too: those of the outbox
are told, also days on which nothing happened and days of which nothing arrived.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarms
from backend.context import Context
from backend.supervision import dropping
from contracts.days import Sent
from foundation.clock import local, local_day_start
from foundation.db.base import hospital_id
from foundation.db.intents import Handler, Work, intend
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError
from foundation.logs import log

TELL = "supervision.days"
EVERY = timedelta(minutes=2)
DAY_LATE = timedelta(days=2)
UNDELIVERED_LATE = timedelta(minutes=15)
"""An event is with the adapter within a second; a restart takes a minute."""
ENDS_SOON = 30
"""Days before its end at which a certificate rings."""
WAITING, DAY_OPEN, CERTIFICATE = "supervision_waiting", "supervision_day_open", "supervision_certificate"
AWAY, UNDELIVERED = "supervision_adapter_away", "supervision_undelivered"
SUBJECT = "adapter"
GONE = "adapter_unreachable"


async def tell(work: Work[Context]) -> None:
    """One round; the next one is asked for whatever comes of this one, and what people have to see to rings either way."""
    context = work.context
    days = await _days(context)
    for day in days or ():
        try:
            await _tell(context, day)
        except AppError as error:  # a day that is refused must not keep the others back
            log.warning("days_not_told", day=day.isoformat(), code=error.code)
            if error.code == GONE:
                break
    await _ring(context, days)
    async with unit_of_work(context.db) as session:
        await intend(session, TELL, hospital_id(), due=context.clock.now() + EVERY)


async def _days(context: Context) -> Sequence[date] | None:
    """Days that are over and not known to be closed, the oldest first; None while the adapter does not answer."""
    try:
        known = await context.adapter.days_wanted()
    except AppError as error:
        log.warning("days_not_told", code=error.code)
        return None
    async with unit_of_work(context.db) as session:
        first: datetime | None = await session.scalar(
            select(OutboxEvent.occurred_at).order_by(OutboxEvent.ordinal).limit(1)
        )
    today, ours = context.clock.today(), set[date]()
    if first is not None:
        begin = local(first).date()
        ours = {begin + timedelta(days=at) for at in range((today - begin).days)}
    closed = {
        since + timedelta(days=at) for since, until in known.closed for at in range((until - since).days + 1)
    }
    return sorted((ours - closed) | set(known.days))


async def _tell(context: Context, day: date) -> None:
    async with unit_of_work(context.db) as session:
        sent = await sent_of(session, day)
    heard = await context.adapter.tell(day, sent)
    if heard.missing:
        async with unit_of_work(context.db) as session:
            again = await send_again(session, heard.missing)
        log.warning("events_sent_again", day=day.isoformat(), missing=heard.missing[:10], again=again)


async def sent_of(session: AsyncSession, day: date) -> Sent:
    """The outbox's totals of `day`, up to the highest number that one of its events has; without one, that the feed had at its end."""
    begin, end = local_day_start(day), local_day_start(day + timedelta(days=1))
    number = OutboxEvent.sealed_number
    query = select(func.max(number), func.count(number), func.count().filter(number.is_(None))).where(
        OutboxEvent.occurred_at >= begin, OutboxEvent.occurred_at < end
    )
    last, events, unsealed = (await session.execute(query)).one()
    if last is None:
        before = select(number).where(number.is_not(None), OutboxEvent.occurred_at < end)
        last = await session.scalar(before.order_by(number.desc()).limit(1))
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


Told = tuple[str, str, str]
"""Kind of alarm, what it says (empty: it is over), where a person sees to it."""


async def _ring(context: Context, days: Sequence[date] | None) -> None:
    """What a person has to see to, and what is over. Of what the adapter would know nothing is said while it does not answer."""
    told = [await _undelivered(context)]
    try:
        told += await _of_adapter(context)
        away = "" if days is not None else "没有应答日结计数"
    except AppError as error:
        away = error.detail
    told.append((AWAY, away, "/desk/connections"))
    if days is not None:
        over = context.clock.now() - DAY_LATE - timedelta(days=1)
        late = [day for day in days if local_day_start(day) < over]
        told.append((DAY_OPEN, "、".join(day.isoformat() for day in late[:10]), "/desk/statements"))
    async with unit_of_work(context.db) as session:
        for kind, detail, link in told:
            if detail:
                await alarms.ring(session, kind, SUBJECT, detail, link=link)
            else:
                await alarms.over(session, kind, SUBJECT)


async def _of_adapter(context: Context) -> list[Told]:
    overview, links = await context.adapter.overview(), await context.adapter.connections()
    waiting = overview.rejected + overview.parked - overview.carried_over + overview.sign_ins_refused
    ends = [one.what for one in links.certificates if one.days_left is not None and one.days_left < ENDS_SOON]
    return [
        (WAITING, f"{waiting} 条记录" if waiting else "", "/desk/submissions"),
        (CERTIFICATE, "、".join(ends), "/desk/connections"),
    ]


async def _undelivered(context: Context) -> Told:
    """From the outbox alone: the relay, the way or the adapter may be what stands still, and none of them can be asked."""
    row = OutboxEvent
    lowest = select(row.occurred_at).where(row.relayed_at.is_(None)).order_by(row.sealed_number).limit(1)
    unsealed = select(row.occurred_at).where(row.sealed_number.is_(None)).order_by(row.ordinal).limit(1)
    async with unit_of_work(context.db) as session:
        found = [
            at for at in (await session.scalar(lowest), await session.scalar(unsealed)) if at is not None
        ]
    oldest = min(found, default=context.clock.now())
    late = context.clock.now() - oldest > UNDELIVERED_LATE
    words = f"最早一个发生于 {local(oldest):%m月%d日 %H:%M}" if late else ""
    return UNDELIVERED, words, "/desk/supervision"


HANDLERS: dict[str, Handler] = {TELL: tell, **dropping.HANDLERS}
STANDING = (TELL, *dropping.STANDING)
"""Always open: the worker asks for it when it starts."""
