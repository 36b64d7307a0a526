import asyncio
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from foundation.db.inbox import ExternalEvent
from foundation.db.intents import Intent, intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import Database, connect, unit_of_work
from foundation.errors import BadRequest, Busy, Unavailable
from foundation.ids import new_id
from tests.database import Cluster
from tests.unit.foundation.doors import D, a_door, door, held, state_of, with_doors

pytestmark = pytest.mark.anyio

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
