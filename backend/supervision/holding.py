"""Events that cannot go as they are: the alarm that rings once for each and ends with the last; the gauges of the outbox."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarms
from backend.alarm.model import Alarm
from backend.supervision.queries import Undelivered, held_count, undelivered
from backend.supervision.rules import reason_words
from foundation.db.guards import guarded
from foundation.db.locks import lock
from foundation.db.unit_of_work import Database, unit_of_work

HELD, SUBJECT = "outbox_held", "outbox"
UNDELIVERED = Gauge("outbox_undelivered", "events the adapter has not acknowledged")
OLDEST = Gauge("outbox_oldest_seconds", "age of the oldest event the adapter has not acknowledged")
HELD_EVENTS = Gauge("outbox_held", "events that cannot go for a reason of their own")


async def ring(session: AsyncSession, fresh: Sequence[asyncpg.Record], refused: dict[UUID, str]) -> None:
    """Once for each event: that it still cannot go is no news."""
    if fresh:
        first = fresh[0]
        words = f"第 {first['sealed_number']} 号{' 等' if len(fresh) > 1 else ''}：{reason_words(refused[first['id']])}"
        await alarms.ring(session, HELD, SUBJECT, f"{len(fresh)} 个事件，{words}", link="/desk/supervision")


async def watch(db: Database) -> Undelivered:
    """What is not delivered, for the gauges; the alarm is over when nothing is held any more."""
    async with unit_of_work(db) as session:
        seen = await undelivered(session)
        if not seen.held:
            await over(session)
    UNDELIVERED.set(seen.count)
    OLDEST.set((db.clock.now() - seen.oldest).total_seconds() if seen.oldest else 0)
    HELD_EVENTS.set(seen.held)
    return seen


async def over(session: AsyncSession) -> None:
    """Whoever rings holds the alarm's row until his event is held for all to see: only then is counted."""
    alarm = await alarms.open_alarm(session, HELD, SUBJECT)
    if alarm is None:
        return
    if guarded("held_alarm"):
        await lock(session, Alarm, alarm.id)
    if not await held_count(session):
        await alarms.over(session, HELD, SUBJECT)
