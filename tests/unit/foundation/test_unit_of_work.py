import asyncio
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from foundation.db.inbox import ExternalEvent
from foundation.db.intents import Intent, intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import Database, connect, touch, unit_of_work
from foundation.errors import BadRequest, Busy, Unavailable
from foundation.ids import new_id
from tests.database import Cluster
from tests.unit.foundation.doors import D, a_door, door, held, state_of, with_doors

pytestmark = pytest.mark.anyio

COMMITS_WAIT = (
    "CREATE TABLE slow (number int)",
    """CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'""",
    """CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION waits()""",
)
IN_USE = "SET LOCAL lock_timeout = '60ms'"


async def test_a_row_that_somebody_holds_too_long_is_busy(empty_db: Database) -> None:
    await with_doors(empty_db)
    door_id = await a_door(empty_db)
    async with unit_of_work(empty_db) as holder:
        await held(holder, door_id)

        with pytest.raises(Busy) as refused:
            async with unit_of_work(empty_db) as waiting:
                await waiting.execute(text(IN_USE))
                await held(waiting, door_id)

    assert (refused.value.status, refused.value.retry_after) == (503, 1)


async def test_a_stream_that_somebody_holds_too_long_is_busy(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as holder:
        await lock_stream(holder, "visit:1")
        with pytest.raises(Busy):
            async with unit_of_work(empty_db) as waiting:
                await waiting.execute(text(IN_USE))
                await lock_stream(waiting, "visit:1")
        async with unit_of_work(empty_db) as passing:
            await passing.execute(text(IN_USE))
            await lock_stream(passing, "visit:2")


async def test_locks_and_statements_have_time_outs(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        shown = [await session.scalar(text(f"SHOW {name}")) for name in ("lock_timeout", "statement_timeout")]

        with pytest.raises(Busy):
            async with unit_of_work(empty_db) as slow:
                await slow.execute(text("SET LOCAL statement_timeout = '50ms'"))
                await slow.execute(text("SELECT pg_sleep(5)"))

    assert shown == ["3s", "15s"]


async def test_two_who_wait_for_each_other_are_told_apart_as_busy(empty_db: Database) -> None:
    await with_doors(empty_db)
    first, second = await a_door(empty_db), await a_door(empty_db)
    both_hold = asyncio.Barrier(2)

    async def crossing(one: UUID, then: UUID) -> None:
        async with unit_of_work(empty_db) as session:
            await held(session, one)
            await both_hold.wait()
            await held(session, then)

    results = await asyncio.gather(crossing(first, second), crossing(second, first), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["Busy", "NoneType"]


@pytest.mark.parametrize(
    "values", [{"source": "a\0b"}, {"source": "s" * 41}, {"kind": "k" * 200}], ids=["zero", "long", "longer"]
)
async def test_a_value_that_no_column_can_hold_is_the_callers_mistake(
    empty_db: Database, values: dict[str, str]
) -> None:
    row = {"source": "s", "external_id": "1", "kind": "k", "subject": "1"} | values

    with pytest.raises(BadRequest) as refused:
        async with unit_of_work(empty_db) as session:
            session.add(ExternalEvent(**row, received_at=empty_db.clock.now()))

    assert refused.value.code == "cannot_be_stored"


async def test_a_number_that_no_column_can_hold_is_the_callers_mistake(empty_db: Database) -> None:
    with pytest.raises(BadRequest):
        async with unit_of_work(empty_db) as session:
            await session.scalars(select(Intent.id).where(Intent.attempts > 2**40))


async def test_what_breaks_a_constraint_stays_our_own_fault(empty_db: Database) -> None:
    row_id = new_id()
    values = {"source": "s", "external_id": "1", "kind": "k", "subject": "1"}

    with pytest.raises(IntegrityError) as broken:
        async with unit_of_work(empty_db) as session:
            session.add(ExternalEvent(id=row_id, **values, received_at=empty_db.clock.now()))
            await session.flush()
            session.expunge_all()
            session.add(ExternalEvent(id=row_id, **values, received_at=empty_db.clock.now()))

    assert "parameters hidden" in str(broken.value)


async def test_a_database_that_is_gone_is_unavailable(empty_db: Database, cluster: Cluster) -> None:
    stranger = connect("postgresql+asyncpg://x:y@127.0.0.1:1/x", empty_db.clock)
    with pytest.raises(Unavailable):
        async with unit_of_work(stranger) as session:
            await session.execute(text("SELECT 1"))
    await stranger.engine.dispose()

    with pytest.raises(Unavailable):
        async with unit_of_work(empty_db) as session:
            number = await session.scalar(text("SELECT pg_backend_pid()"))
            admin = await asyncpg.connect(cluster.admin)
            await admin.execute("SELECT pg_terminate_backend($1)", number)
            await admin.close()
            await session.execute(text("SELECT 1"))
    await empty_db.ping()


async def test_a_pool_with_nothing_left_is_busy(empty_db: Database) -> None:
    small = connect(empty_db.engine.url.render_as_string(hide_password=False), empty_db.clock, pool=1)
    small.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    async with unit_of_work(small) as one, unit_of_work(small) as two:
        await one.execute(text("SELECT 1"))
        await two.execute(text("SELECT 1"))
        with pytest.raises(Busy):
            async with unit_of_work(small) as third:
                await third.execute(text("SELECT 1"))
    await small.engine.dispose()


async def test_who_is_woken_hears_only_of_what_was_committed(empty_db: Database) -> None:
    woken: list[UUID] = []

    async def wake(due: list[UUID]) -> None:
        woken.extend(due)

    empty_db.wake = wake
    with pytest.raises(RuntimeError):
        async with unit_of_work(empty_db) as session:
            await intend(session, "test.work", new_id())
            raise RuntimeError
    assert woken == []

    async with unit_of_work(empty_db) as session:
        await intend(session, "test.work", new_id())
        assert woken == []

    async with unit_of_work(empty_db) as session:
        assert woken == list(await session.scalars(select(Intent.id)))


async def test_a_wake_up_that_fails_or_hangs_takes_nothing_back(
    empty_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.db.unit_of_work.WAKE_SECONDS", 0.05)

    async def fails(_: list[UUID]) -> None:
        raise ConnectionError("valkey is away")

    async def hangs(_: set[str]) -> None:
        await asyncio.sleep(3600)

    empty_db.wake, empty_db.announce = fails, hangs
    await with_doors(empty_db)
    door_id = await a_door(empty_db)

    async with asyncio.timeout(5), unit_of_work(empty_db) as session:
        (await door(session, door_id)).note = "kept"
        session.info["touched"].add("door:1")
        await intend(session, "test.work", new_id())

    async with unit_of_work(empty_db) as session:
        assert (await door(session, door_id)).note == "kept"
    assert await state_of(empty_db, door_id) is D.SHUT


async def test_who_is_cancelled_while_others_are_told_has_them_told_all_the_same(empty_db: Database) -> None:
    """As a conversation is whose socket closes just after its message was kept."""
    telling, gone, told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def announce(_: set[str]) -> None:
        telling.set()
        await gone.wait()
        told.set()

    empty_db.announce = announce

    async def says() -> None:
        async with unit_of_work(empty_db) as session:
            touch(session, "chat:1")

    speaker = asyncio.create_task(says())
    await telling.wait()
    speaker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaker
    gone.set()

    async with asyncio.timeout(5):
        await told.wait()


async def test_who_is_cancelled_while_it_commits_has_others_told_for_nobody_knows_how_it_ended(
    empty_db: Database,
) -> None:
    told: asyncio.Queue[set[str]] = asyncio.Queue()
    empty_db.announce = told.put
    async with unit_of_work(empty_db) as session:
        for statement in COMMITS_WAIT:
            await session.execute(text(statement))

    async def says() -> None:
        async with unit_of_work(empty_db) as session:
            await session.execute(text("INSERT INTO slow VALUES (1)"))
            touch(session, "chat:1")

    async with unit_of_work(empty_db) as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
        speaker = asyncio.create_task(says())
        waits = text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not await holder.scalar(waits):
            await asyncio.sleep(0)
        speaker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaker

    async with asyncio.timeout(5):
        assert await told.get() == {"chat:1"}
