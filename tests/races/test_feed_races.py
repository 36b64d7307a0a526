"""Two sealers over one chain, two relays over one outbox, an alarm that ends while another event is held."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from sqlalchemy import select, update

from backend.alarm.model import Alarm
from backend.alarm.service import open_alarm
from backend.supervision.holding import HELD, SUBJECT, watch
from backend.supervision.relay import Relay
from backend.supervision.sinks import Delivered, Sealed
from foundation.chain import Entry, first_break
from foundation.db.guards import without_guard
from foundation.db.outbox import OutboxEvent, publish
from foundation.db.sealer import seal_outbox
from foundation.db.unit_of_work import Database, unit_of_work
from tests.races.lining_up import both
from tests.unit.foundation.doors import DoorOpened

pytestmark = pytest.mark.anyio

HEAD = "SELECT id FROM chain_head WHERE chain = 'outbox' FOR UPDATE"


async def published(db: Database, *numbers: int) -> None:
    async with unit_of_work(db) as session:
        for number in numbers:
            await publish(session, f"door:{number % 3}", DoorOpened(number))


async def chain(db: Database) -> list[Entry]:
    async with unit_of_work(db) as session:
        rows = await session.scalars(select(OutboxEvent).order_by(OutboxEvent.sealed_number))
        return [Entry(row.sealed_number or 0, row.digest, row.head or b"") for row in rows]


async def sealed_by_two(db: Database, *, waiting: int) -> list[Entry]:
    await published(db, 1)
    await seal_outbox(db)
    await published(db, *range(2, 12))
    await both(db, seal_outbox(db), seal_outbox(db), lock=HEAD, waiting=waiting)
    return await chain(db)


async def test_two_sealers_number_each_event_once_and_leave_no_gap(empty_db: Database) -> None:
    entries = await sealed_by_two(empty_db, waiting=1)

    assert [entry.number for entry in entries] == list(range(1, 12))
    assert first_break(entries) is None


async def test_without_the_sealers_lock_the_numbers_have_a_gap(empty_db: Database) -> None:
    with without_guard("seal_lock", allowed=True):
        entries = await sealed_by_two(empty_db, waiting=2)

    assert [entry.number for entry in entries] != list(range(1, 12))


@dataclass
class SlowSink:
    """Lets nobody go before `open` is set; counts what came."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    seen: Counter[UUID] = field(default_factory=Counter)

    async def deliver(self, events: Sequence[Sealed]) -> Delivered:
        self.seen.update(one.id for one in events)
        self.came.set()
        await self.open.wait()
        return Delivered({one.id for one in events})

    async def close(self) -> None:
        """Nothing to close."""


async def delivered_by_two(db: Database) -> Counter[UUID]:
    """The second relay looks while the first one is still posting."""
    await published(db, *range(10))
    sink = SlowSink()
    first = asyncio.create_task(Relay(db, sink, "").step())
    await sink.came.wait()
    second = asyncio.create_task(Relay(db, sink, "").step())
    await asyncio.wait([second], timeout=1)
    sink.open.set()
    await asyncio.gather(first, second)
    return sink.seen


async def test_two_relays_deliver_each_event_once(empty_db: Database) -> None:
    seen = await delivered_by_two(empty_db)

    assert set(seen.values()) == {1}
    assert len(seen) == 10


async def test_without_the_lease_both_relays_deliver_the_same(empty_db: Database) -> None:
    with without_guard("relay_lease", allowed=True):
        seen = await delivered_by_two(empty_db)

    assert set(seen.values()) == {2}


@dataclass
class RefusingSink(SlowSink):
    """Will have nothing."""

    async def deliver(self, events: Sequence[Sealed]) -> Delivered:
        return Delivered(refused={one.id: "digest_mismatch" for one in events})


async def alarm_after_both(db: Database, *, waiting: int) -> Alarm | None:
    """One looks whether nothing is held any more while another one is being held and rings."""
    sink = RefusingSink()
    await published(db, 1)
    await Relay(db, sink, "").step()
    async with unit_of_work(db) as session:
        await session.execute(update(OutboxEvent).values(relayed_at=db.clock.now()))
    await published(db, 2)
    await seal_outbox(db)
    rings = "SELECT id FROM alarm FOR UPDATE"
    await both(db, Relay(db, sink, "").step(), watch(db), lock=rings, waiting=waiting)
    async with unit_of_work(db) as session:
        return await open_alarm(session, HELD, SUBJECT)


async def test_the_alarm_does_not_end_while_another_event_is_being_held(empty_db: Database) -> None:
    assert await alarm_after_both(empty_db, waiting=2) is not None


async def test_without_the_alarms_lock_it_ends_although_an_event_is_held(empty_db: Database) -> None:
    with without_guard("held_alarm", allowed=True):
        assert await alarm_after_both(empty_db, waiting=2) is None
