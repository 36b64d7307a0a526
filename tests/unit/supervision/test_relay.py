"""The relay over a real outbox, and an adapter on a loopback port that answers from a script."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from sqlalchemy import select, text, update

from backend.alarm.model import Alarm
from backend.supervision.holding import UNDELIVERED, watch
from backend.supervision.queries import held, undelivered
from backend.supervision.relay import Relay
from backend.supervision.rules import held_for
from backend.supervision.sinks import PART_BYTES, HttpSink, Sealed, parts
from contracts.envelope import Delivery, Envelope
from foundation.chain import GENESIS, link
from foundation.clock import local
from foundation.db.outbox import OutboxEvent, digest_of, publish
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from tests.database import moves_on
from tests.unit.foundation.doors import DoorOpened

pytestmark = pytest.mark.anyio


@dataclass
class FakeAdapter:
    """`refuses` are numbers that it will not have; `status` answers everything else, when set."""

    url: str = ""
    deliveries: list[list[Envelope]] = field(default_factory=list)
    refuses: set[int] = field(default_factory=set)
    status: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        events = msgspec.json.decode(await request.read(), type=Delivery).events
        self.deliveries.append(events)
        if self.status:
            return web.Response(status=self.status)
        if self.refuses & {event.number for event in events}:
            issue = {"field": "events.0.digest", "code": "digest_mismatch", "message": "…"}
            return web.json_response({"code": "invalid", "issues": [issue]}, status=422)
        return web.json_response({"event_ids": [str(event.event_id) for event in events]}, status=202)


@pytest.fixture
async def adapter() -> AsyncIterator[FakeAdapter]:
    fake = FakeAdapter()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/events", fake.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


@asynccontextmanager
async def relay_to(db: Database, adapter: FakeAdapter, batch: int = 300) -> AsyncIterator[Relay]:
    sink = HttpSink(adapter.url, ssl.create_default_context())
    dsn = db.engine.url.render_as_string(hide_password=False).replace("+asyncpg", "")
    yield Relay(db, sink, dsn, batch)
    await sink.close()


def numbers(adapter: FakeAdapter) -> list[list[int]]:
    """What came in each delivery."""
    return [[one.number for one in events] for events in adapter.deliveries]


async def left(db: Database) -> int:
    async with unit_of_work(db) as session:
        return (await undelivered(session)).count


async def alarms(db: Database) -> list[Alarm]:
    async with unit_of_work(db) as session:
        return list(await session.scalars(select(Alarm).order_by(Alarm.first_at)))


async def changed(db: Database, number: int, payload: bytes) -> bytes:
    """Puts other bytes where the content of an event lies; what was there."""
    async with unit_of_work(db) as session:
        where = {"number": number}
        was = await session.scalar(text("SELECT payload FROM outbox_event WHERE ordinal = :number"), where)
        await session.execute(
            text("UPDATE outbox_event SET payload = :new WHERE ordinal = :number"), where | {"new": payload}
        )
    return bytes(was)


async def published(db: Database, *numbers: int) -> None:
    for number in numbers:
        async with unit_of_work(db) as session:
            await publish(session, "door:1", DoorOpened(number))


async def test_what_travels_is_what_was_sealed(empty_db: Database, adapter: FakeAdapter) -> None:
    await published(empty_db, 1, 2)
    async with relay_to(empty_db, adapter) as relay:
        assert await relay.step()
        assert not await relay.step()

    (events,) = adapter.deliveries
    assert [(one.number, one.sequence, one.payload) for one in events] == [
        (1, 1, {"number": 1}),
        (2, 2, {"number": 2}),
    ]
    head = GENESIS
    for one in events:
        digest = digest_of(
            event_id=one.event_id, stream=one.stream, sequence=one.sequence, kind=one.type, version=one.version,
            occurred_at=one.occurred_at, payload=one.payload,
        )  # fmt: skip
        head = link(head, one.number, digest)
        assert (one.digest, one.head) == (digest.hex(), head.hex())
    assert await left(empty_db) == 0


async def test_one_that_is_refused_holds_up_no_other(empty_db: Database, adapter: FakeAdapter) -> None:
    adapter.refuses = {2}
    await published(empty_db, 1, 2, 3)
    async with relay_to(empty_db, adapter) as relay:
        await relay.step()

    assert numbers(adapter) == [[1, 2, 3], [1], [2, 3], [2], [3]]
    assert await left(empty_db) == 1


async def test_one_whose_content_does_not_open_holds_up_no_other(
    empty_db: Database, adapter: FakeAdapter
) -> None:
    await published(empty_db, 1, 2, 3)
    was = await changed(empty_db, 2, b"\x04goneXXXXXXXXXXXXXXXX")
    async with relay_to(empty_db, adapter) as relay:
        await relay.step()
        assert numbers(adapter) == [[1, 3]]
        assert not await relay.step()

        async with unit_of_work(empty_db) as session:
            (one,) = await held(session, 10)
        assert (one.number, one.reason, one.times) == (2, "unreadable", 1)
        assert one.again_at is not None
        assert timedelta(seconds=40) < one.again_at - empty_db.clock.now() <= timedelta(minutes=1)

        await changed(empty_db, 2, was)
        moves_on(empty_db.clock, seconds=61)
        assert await relay.step()

    assert numbers(adapter) == [[1, 3], [2]]
    assert await left(empty_db) == 0


async def test_refused_ones_that_fill_a_batch_let_the_next_ones_through(
    empty_db: Database, adapter: FakeAdapter
) -> None:
    adapter.refuses = {1, 2, 3}
    await published(empty_db, 1, 2, 3, 4, 5)
    async with relay_to(empty_db, adapter, batch=3) as relay:
        await relay.step()
        moves_on(empty_db.clock, seconds=2)
        await relay.step()

    assert numbers(adapter)[-1] == [4, 5]
    assert await left(empty_db) == 3


async def test_who_was_refused_goes_alone_and_ever_more_rarely(
    empty_db: Database, adapter: FakeAdapter
) -> None:
    adapter.refuses = {1}
    await published(empty_db, 1)
    async with relay_to(empty_db, adapter) as relay:
        await relay.step()
        for minutes in (1, 2, 4):
            await published(empty_db, 2)
            moves_on(empty_db.clock, seconds=60 * minutes - 20)
            await relay.step()
            moves_on(empty_db.clock, seconds=21)
            await relay.step()
        async with unit_of_work(empty_db) as session:
            (one,) = await held(session, 10)

    assert numbers(adapter) == [[1], [2], [1], [3], [1], [4], [1]]
    assert (one.reason, one.times) == ("digest_mismatch", 4)


def test_nobody_waits_longer_than_half_an_hour() -> None:
    assert [held_for(times) // timedelta(minutes=1) for times in (1, 2, 3, 5, 6, 1000)] == [
        1,
        2,
        4,
        16,
        30,
        30,
    ]


async def test_the_alarm_rings_once_for_each_and_ends_with_the_last(
    empty_db: Database, adapter: FakeAdapter
) -> None:
    adapter.refuses = {1, 3}
    await published(empty_db, 1, 2)
    async with relay_to(empty_db, adapter) as relay:
        for _ in range(3):
            await relay.step()
            await watch(empty_db)
            moves_on(empty_db.clock, minutes=31)
        (rung,) = await alarms(empty_db)
        assert (rung.times, rung.closed_at) == (1, None)
        assert rung.detail == "1 个事件，第 1 号：摘要与内容不符"

        await published(empty_db, 3)
        await relay.step()
        (rung,) = await alarms(empty_db)
        assert rung.times == 2

        adapter.refuses = set()
        moves_on(empty_db.clock, minutes=31)
        await relay.step()
        await watch(empty_db)

    (rung,) = await alarms(empty_db)
    assert rung.closed_at is not None


async def test_the_gauges_say_how_many_wait_and_for_how_long(empty_db: Database) -> None:
    await published(empty_db, 1)
    moves_on(empty_db.clock, minutes=3)
    await published(empty_db, 2)

    seen = await watch(empty_db)

    assert (seen.count, seen.held) == (2, 0)
    assert REGISTRY.get_sample_value("outbox_undelivered") == 2
    assert REGISTRY.get_sample_value("outbox_oldest_seconds") == pytest.approx(180, abs=5)


async def test_the_running_relay_sets_the_gauges(empty_db: Database, adapter: FakeAdapter) -> None:
    adapter.status = 503
    UNDELIVERED.set(-1)
    await published(empty_db, 1)
    async with relay_to(empty_db, adapter) as relay:
        running = asyncio.create_task(relay.run())
        async with asyncio.timeout(10):
            while REGISTRY.get_sample_value("outbox_undelivered") != 1:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_adapter_that_is_away_holds_nobody(empty_db: Database, adapter: FakeAdapter) -> None:
    adapter.status = 503
    await published(empty_db, 1)
    async with relay_to(empty_db, adapter) as relay:
        with pytest.raises(ConnectionError):
            await relay.step()

    assert (await watch(empty_db)).held == 0
    assert await alarms(empty_db) == []


async def test_what_was_not_taken_goes_again_after_a_moment(empty_db: Database, adapter: FakeAdapter) -> None:
    adapter.status = 503
    await published(empty_db, 1)
    async with relay_to(empty_db, adapter) as relay:
        with pytest.raises(ConnectionError):
            await relay.step()
        adapter.status = 0
        assert not await relay.step()
        moves_on(empty_db.clock, seconds=2)
        assert await relay.step()

    assert [len(events) for events in adapter.deliveries] == [1, 1]


async def test_a_batch_whose_relay_died_goes_again_when_its_lease_is_over(
    empty_db: Database, adapter: FakeAdapter
) -> None:
    await published(empty_db, 1)
    async with relay_to(empty_db, adapter) as relay:
        await relay.step()
        async with unit_of_work(empty_db) as session:
            lease = empty_db.clock.now() + timedelta(seconds=30)
            await session.execute(update(OutboxEvent).values(relayed_at=None, claimed_until=lease))
        assert not await relay.step()
        moves_on(empty_db.clock, seconds=31)
        assert await relay.step()


async def test_a_commit_wakes_the_relay_before_its_next_look(
    empty_db: Database, adapter: FakeAdapter
) -> None:
    async with relay_to(empty_db, adapter) as relay:
        running = asyncio.create_task(relay.run())
        await published(empty_db, 1)
        async with asyncio.timeout(10):
            while not adapter.deliveries:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert adapter.deliveries[0][0].payload == {"number": 1}


async def test_a_dropped_content_is_never_sent_again(empty_db: Database, adapter: FakeAdapter) -> None:
    await published(empty_db, 1)
    async with relay_to(empty_db, adapter) as relay:
        await relay.step()
        async with unit_of_work(empty_db) as session:
            await session.execute(
                update(OutboxEvent).values(payload=None, relayed_at=None, claimed_until=None)
            )
        assert not await relay.step()


def test_a_large_delivery_goes_in_parts_and_a_larger_event_alone() -> None:
    sizes = [PART_BYTES // 2, PART_BYTES // 2, 10, PART_BYTES * 2, 10]
    events = [Sealed(new_id(), "a", b"x" * size) for size in sizes]

    assert [[len(one.body) for one in part] for part in parts(events)] == [
        sizes[:2],
        sizes[2:3],
        sizes[3:4],
        sizes[4:],
    ]


async def test_contents_of_a_closed_day_go_up_to_its_last_number(
    empty_db: Database, adapter: FakeAdapter
) -> None:
    from backend.supervision.dropping import drop_contents

    await published(empty_db, 1, 2)
    async with relay_to(empty_db, adapter) as relay:
        await relay.step()
        await published(empty_db, 3)
        await relay.step()
    today = local(empty_db.clock.now()).date()

    async with unit_of_work(empty_db) as session:
        yesterday = await drop_contents(session, today - timedelta(days=1), 3)
        gone = await drop_contents(session, today, 2)

    async with unit_of_work(empty_db) as session:
        rows = list(await session.scalars(select(OutboxEvent).order_by(OutboxEvent.sealed_number)))
    assert (yesterday, gone) == (0, 2)
    assert [row.payload for row in rows] == [None, None, {"number": 3}]
    assert all(row.head and row.digest for row in rows)
