"""What the backend says it sent of a day, what it sends again, and what rings when somebody does not answer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from backend.alarm.model import Alarm
from backend.context import Context
from backend.outside.adapter import NoAdapter
from backend.supervision import tasks
from contracts import events
from contracts import supervision_desk as wire
from contracts.days import DayHeard, DaysWanted, Sent
from foundation.clock import local_day_start
from foundation.db.base import hospital_id
from foundation.db.intents import Work
from foundation.db.outbox import OutboxEvent, publish
from foundation.db.sealer import seal
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Invalid
from tests.database import moves_on

pytestmark = pytest.mark.anyio


async def happened(db: Database, count: int) -> None:
    async with unit_of_work(db) as session:
        for _ in range(count):
            changed = events.DrugCatalogueChanged(catalogue_version="v1", drugs=[], changed_at=db.clock.now())
            await publish(session, "catalogue:drug", changed)


async def sealed(db: Database) -> None:
    while await seal(db):
        pass


async def test_a_day_is_told_up_to_its_own_last_number(empty_db: Database) -> None:
    db = empty_db
    day = db.clock.today()
    await happened(db, 3)
    await sealed(db)
    moves_on(db.clock, days=1)
    await happened(db, 2)
    await sealed(db)

    async with unit_of_work(db) as session:
        first = await tasks.sent_of(session, day)
        second = await tasks.sent_of(session, day + timedelta(days=1))
        head = await session.scalar(select(OutboxEvent.head).where(OutboxEvent.sealed_number == 3))

    assert (first.events, first.last_number, first.unsealed) == (3, 3, 0)
    assert head is not None
    assert first.head == head.hex()
    assert (second.events, second.last_number) == (2, 5)


async def test_what_has_no_number_yet_is_told_apart(empty_db: Database) -> None:
    await happened(empty_db, 2)

    async with unit_of_work(empty_db) as session:
        sent = await tasks.sent_of(session, empty_db.clock.today())

    assert (sent.events, sent.last_number, sent.head, sent.unsealed) == (0, 0, "", 2)


async def test_midnight_in_shanghai_parts_the_days(empty_db: Database) -> None:
    db = empty_db
    day = db.clock.today()
    midnight = local_day_start(day + timedelta(days=1))
    moves_on(db.clock, seconds=(midnight - db.clock.now()).total_seconds() + 1)
    await happened(db, 1)
    await sealed(db)

    async with unit_of_work(db) as session:
        assert (await tasks.sent_of(session, day)).events == 0
        assert (await tasks.sent_of(session, day + timedelta(days=1))).events == 1


async def test_only_what_is_missing_is_sent_again(empty_db: Database) -> None:
    db = empty_db
    await happened(db, 5)
    await sealed(db)
    async with unit_of_work(db) as session:
        for row in await session.scalars(select(OutboxEvent)):
            row.relayed_at = None if row.sealed_number == 5 else db.clock.now()

    async with unit_of_work(db) as session:
        again = await tasks.send_again(session, [[2, 3], [5, 9]])
    async with unit_of_work(db) as session:
        query = select(OutboxEvent.sealed_number).where(OutboxEvent.relayed_at.is_(None))
        waiting = sorted(number for number in await session.scalars(query) if number)

    assert again == 2
    assert waiting == [2, 3, 5]


async def test_of_a_day_without_events_it_says_so_and_where_the_feed_stood(empty_db: Database) -> None:
    db = empty_db
    day = db.clock.today()
    await happened(db, 3)
    await sealed(db)
    moves_on(db.clock, days=2)
    await happened(db, 1)
    await sealed(db)

    async with unit_of_work(db) as session:
        quiet = await tasks.sent_of(session, day + timedelta(days=1))
        head = await session.scalar(select(OutboxEvent.head).where(OutboxEvent.sealed_number == 3))

    assert head is not None
    assert quiet == Sent(0, 3, head.hex(), 0)


class Hearing(NoAdapter):
    """An adapter that answers: it knows some days as closed and refuses others."""

    def __init__(
        self, closed: Sequence[tuple[date, date]] = (), wanted: Sequence[date] = (), refused: Sequence[date] = ()
    ) -> None:  # fmt: skip
        super().__init__()
        self.known = DaysWanted(list(wanted), list(closed))
        self.refused = refused
        self.told: dict[date, Sent] = {}

    async def days_wanted(self) -> DaysWanted:
        return self.known

    async def tell(self, day: date, sent: Sent) -> DayHeard:
        if day in self.refused:
            raise Invalid
        self.told[day] = sent
        return DayHeard([], None)

    async def overview(self) -> wire.Overview:
        return wire.Overview(0, 0, [], *(0,) * 12, None, [], [])

    async def connections(self) -> wire.Connections:
        return wire.Connections(local_day_start(date(2026, 11, 23)), [], [], None, None, None)


async def a_round(running: Context, adapter: NoAdapter) -> dict[str, str]:
    """Open alarms after it, by kind."""
    await tasks.tell(Work(replace(running, adapter=adapter), hospital_id()))
    async with unit_of_work(running.db) as session:
        rows = await session.scalars(select(Alarm).where(Alarm.closed_at.is_(None)))
        return {row.kind: row.detail for row in rows if row.kind.startswith("supervision")}


async def begun(running: Context, days_ago: int) -> date:
    """The outbox began so many days ago and has nothing since; returns its first day."""
    day = running.clock.today() - timedelta(days=days_ago)
    await happened(running.db, 1)
    await sealed(running.db)
    async with unit_of_work(running.db) as session:
        noon = local_day_start(day) + timedelta(hours=12)
        await session.execute(update(OutboxEvent).values(occurred_at=noon, relayed_at=noon))
    return day


async def test_the_outboxs_own_days_are_told_whether_or_not_the_adapter_asks(running: Context) -> None:
    first = await begun(running, 5)
    day = [first + timedelta(days=at) for at in range(6)]
    adapter = Hearing(closed=[(day[1], day[2])], wanted=[day[2]])

    await a_round(running, adapter)

    assert sorted(adapter.told) == [day[0], day[2], day[3], day[4]]
    assert [adapter.told[one].events > 0 for one in sorted(adapter.told)] == [True, False, False, False]


async def test_a_day_that_is_refused_does_not_keep_the_next_back(running: Context) -> None:
    first = await begun(running, 2)
    adapter = Hearing(refused=[first])

    await a_round(running, adapter)

    assert sorted(adapter.told) == [first + timedelta(days=1)]


async def test_a_day_that_stays_open_rings_also_when_nothing_of_it_arrived(running: Context) -> None:
    first = await begun(running, 5)

    rung = await a_round(running, Hearing())

    assert first.isoformat() in rung["supervision_day_open"]


async def test_an_adapter_that_does_not_answer_rings_until_it_does(running: Context) -> None:
    await begun(running, 1)

    silent = await a_round(running, NoAdapter())
    back = await a_round(running, Hearing())

    assert set(silent) == {"supervision_adapter_away"}
    assert back == {}


async def test_what_is_not_delivered_rings_although_nobody_can_be_asked(running: Context) -> None:
    await begun(running, 1)
    await happened(running.db, 1)
    fresh = await a_round(running, Hearing())
    moves_on(running.clock, minutes=16)

    late = await a_round(running, NoAdapter())
    async with unit_of_work(running.db) as session:
        await session.execute(update(OutboxEvent).values(relayed_at=running.clock.now(), sealed_number=None))
    unnumbered = await a_round(running, Hearing())
    await sealed(running.db)

    assert "supervision_undelivered" not in fresh
    assert set(late) == {"supervision_adapter_away", "supervision_undelivered"}
    assert set(unnumbered) == {"supervision_undelivered"}
    assert await a_round(running, Hearing()) == {}
