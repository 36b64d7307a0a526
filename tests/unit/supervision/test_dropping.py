"""Which days' contents go is the adapter's to say."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from backend.context import Context
from backend.outside.adapter import NoAdapter
from backend.supervision.dropping import DROP, drop
from contracts.days import ClosedDay
from foundation.clock import local, local_day_start
from foundation.db.base import hospital_id
from foundation.db.intents import Intent, Work
from foundation.db.outbox import OutboxEvent, publish
from foundation.db.sealer import seal_outbox
from foundation.db.unit_of_work import unit_of_work
from tests.unit.foundation.doors import DoorOpened

pytestmark = pytest.mark.anyio


class Settled(NoAdapter):
    """An adapter that has closed some days."""

    def __init__(self, days: dict[date, int]) -> None:
        super().__init__()
        self.settled = days
        self.asked: list[date] = []

    async def closed(self, day: date) -> ClosedDay:
        self.asked.append(day)
        return ClosedDay(day, "closed" if day in self.settled else "open", self.settled.get(day), None)


async def events_of(context: Context, *days: date) -> None:
    """One event at noon of each day, delivered."""
    for number, day in enumerate(days):
        async with unit_of_work(context.db) as session:
            row = await publish(session, f"door:{number}", DoorOpened(number))
            row.occurred_at = local_day_start(day) + timedelta(hours=12)
    while await seal_outbox(context.db):
        pass
    async with unit_of_work(context.db) as session:
        await session.execute(update(OutboxEvent).values(relayed_at=context.clock.now()))


async def kept(context: Context) -> set[date]:
    async with unit_of_work(context.db) as session:
        query = select(OutboxEvent.occurred_at).where(OutboxEvent.payload.is_not(None))
        return {local(at).date() for at in await session.scalars(query)}


async def test_only_days_that_both_sides_have_closed_lose_their_contents(running: Context) -> None:
    today = running.clock.today()
    days = [today - timedelta(days=back) for back in (3, 2, 1, 0)]
    await events_of(running, *days)
    adapter = Settled({days[0]: 10**6, days[2]: 10**6})

    await drop(Work(replace(running, adapter=adapter), hospital_id()))

    assert await kept(running) >= {days[1], days[3]}
    assert not await kept(running) & {days[0], days[2]}
    assert today not in adapter.asked


async def test_an_adapter_that_does_not_answer_costs_a_turn(running: Context) -> None:
    await events_of(running, running.clock.today() - timedelta(days=1))

    await drop(Work(replace(running, adapter=NoAdapter()), hospital_id()))

    assert running.clock.today() - timedelta(days=1) in await kept(running)
    async with unit_of_work(running.db) as session:
        again = select(func.count()).select_from(Intent).where(Intent.kind == DROP, Intent.done_at.is_(None))
        assert await session.scalar(again) == 1
