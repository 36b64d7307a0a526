from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from foundation.chain import Entry, first_break
from foundation.crypto import Keyring
from foundation.db.audit import AuditEvent, audit, digest_of
from foundation.db.columns import bind_keyring
from foundation.db.outbox import OutboxEvent, publish
from foundation.db.outbox import digest_of as event_digest
from foundation.db.sealer import BATCH, ChainHead, seal, seal_audit
from foundation.db.unit_of_work import Database, unit_of_work
from tests.database import KEYRING
from tests.unit.foundation.doors import GUARD, DoorOpened, all_of

pytestmark = pytest.mark.anyio


async def publishes(db: Database, *numbers: int, stream: str = "door:1") -> None:
    """Each in a transaction of its own."""
    for number in numbers:
        async with unit_of_work(db) as session:
            await publish(session, stream, DoorOpened(number))


async def sealed(db: Database, model: Any = OutboxEvent) -> list[Entry]:
    rows = [row for row in await all_of(db, model, model.sealed_number) if row.sealed_number is not None]
    return [Entry(row.sealed_number, row.digest, row.head) for row in rows]


def again(row: OutboxEvent) -> bytes:
    """The digest, computed from what is stored."""
    return event_digest(
        event_id=row.id, stream=row.stream, sequence=row.sequence, kind=row.type, version=row.version,
        occurred_at=row.occurred_at, payload=row.payload,
    )  # fmt: skip


async def test_each_stream_counts_for_itself(empty_db: Database) -> None:
    await publishes(empty_db, 1, 2)
    await publishes(empty_db, 3, stream="door:2")
    await publishes(empty_db, 4)

    rows = await all_of(empty_db, OutboxEvent, OutboxEvent.ordinal)

    assert [(row.stream, row.sequence) for row in rows] == [
        ("door:1", 1), ("door:1", 2), ("door:2", 1), ("door:1", 3),
    ]  # fmt: skip


async def test_two_events_of_one_transaction_follow_each_other(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        for number in (1, 2, 3):
            await publish(session, "door:1", DoorOpened(number))

    rows = await all_of(empty_db, OutboxEvent, OutboxEvent.ordinal)
    assert [(row.sequence, row.payload["number"]) for row in rows] == [(1, 1), (2, 2), (3, 3)]


async def test_an_event_that_was_rolled_back_leaves_no_gap_in_its_stream(empty_db: Database) -> None:
    await publishes(empty_db, 1)
    with pytest.raises(RuntimeError):
        async with unit_of_work(empty_db) as session:
            await publish(session, "door:1", DoorOpened(2))
            raise RuntimeError
    await publishes(empty_db, 3)

    assert [row.sequence for row in await all_of(empty_db, OutboxEvent, OutboxEvent.ordinal)] == [1, 2]


async def test_what_a_stored_event_says_is_encrypted_and_its_digest_covers_the_plain_text(
    empty_db: Database,
) -> None:
    await publishes(empty_db, 4711)
    async with unit_of_work(empty_db) as session:
        raw = await session.scalar(text("SELECT payload FROM outbox_event"))

    (row,) = await all_of(empty_db, OutboxEvent, OutboxEvent.ordinal)
    assert b"4711" not in raw
    assert again(row) == row.digest


async def test_numbers_have_no_gap_and_the_chain_holds(empty_db: Database) -> None:
    await publishes(empty_db, *range(1, 6))
    with pytest.raises(RuntimeError):
        async with unit_of_work(empty_db) as session:
            await publish(session, "door:9", DoorOpened(6))
            raise RuntimeError
    await seal(empty_db)
    await publishes(empty_db, *range(7, 10))

    assert await seal(empty_db) == 3
    assert await seal(empty_db) == 0

    entries = await sealed(empty_db)
    assert [entry.number for entry in entries] == list(range(1, 9))
    assert first_break(entries) is None
    (head,) = await all_of(empty_db, ChainHead, ChainHead.chain)
    assert (head.number, head.head) == (8, entries[-1].head)


async def test_inside_a_stream_the_numbers_follow_the_sequence(empty_db: Database) -> None:
    await publishes(empty_db, 1, 2, 3)
    await publishes(empty_db, 4, stream="door:2")
    await seal(empty_db)

    rows = await all_of(empty_db, OutboxEvent, OutboxEvent.sealed_number)
    assert [row.sequence for row in rows if row.stream == "door:1"] == [1, 2, 3]


async def test_an_event_still_open_elsewhere_is_sealed_later_and_nothing_waits_for_it(
    empty_db: Database,
) -> None:
    async with unit_of_work(empty_db) as slow:
        await publish(slow, "door:1", DoorOpened(1))
        await publishes(empty_db, 2, stream="door:2")
        assert await seal(empty_db) == 1

    assert await seal(empty_db) == 1
    entries = await sealed(empty_db)
    assert [entry.number for entry in entries] == [1, 2]
    assert first_break(entries) is None


async def test_a_batch_is_followed_by_the_next(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        for number in range(BATCH + 3):
            audit(session, GUARD, "door.look", "door", str(number))

    assert [await seal_audit(empty_db) for _ in range(3)] == [BATCH, 3, 0]
    assert first_break(await sealed(empty_db, AuditEvent)) is None


async def test_one_sealer_works_at_a_time(empty_db: Database) -> None:
    await publishes(empty_db, 1)
    async with unit_of_work(empty_db) as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('seal:outbox'))"))
        assert await seal(empty_db) == 0

    assert await seal(empty_db) == 1


async def test_an_edited_event_no_longer_fits_its_digest(empty_db: Database) -> None:
    await publishes(empty_db, 1, 2, 3)
    await seal(empty_db)
    async with unit_of_work(empty_db) as session:
        statement = update(OutboxEvent).where(OutboxEvent.sealed_number == 2)
        await session.execute(statement.values(payload={"number": 99}))

    rows = await all_of(empty_db, OutboxEvent, OutboxEvent.sealed_number)

    assert [again(row) == row.digest for row in rows] == [True, False, True]


async def test_an_event_edited_together_with_its_digest_breaks_the_chain(empty_db: Database) -> None:
    await publishes(empty_db, 1, 2, 3)
    await seal(empty_db)
    async with unit_of_work(empty_db) as session:
        statement = update(OutboxEvent).where(OutboxEvent.sealed_number == 2)
        await session.execute(statement.values(digest=b"\0" * 32))

    assert first_break(await sealed(empty_db)) == 2


async def test_an_edited_or_deleted_audit_line_is_found(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        for action in ("door.open", "door.close", "door.lock"):
            audit(session, GUARD, action, "door", "1", detail={"from": "outside"})
    await seal(empty_db)
    lines = await all_of(empty_db, AuditEvent, AuditEvent.sealed_number)
    assert [digest_of(line) == line.digest for line in lines] == [True] * 3

    async with unit_of_work(empty_db) as session:
        await session.execute(
            update(AuditEvent).where(AuditEvent.sealed_number == 3).values(outcome="refused")
        )
        await session.execute(text("DELETE FROM audit_event WHERE sealed_number = 2"))

    lines = await all_of(empty_db, AuditEvent, AuditEvent.sealed_number)
    assert [digest_of(line) == line.digest for line in lines] == [True, False]
    assert first_break(await sealed(empty_db, AuditEvent)) == 2


async def test_the_chain_outlives_a_change_of_keys(empty_db: Database) -> None:
    await publishes(empty_db, 1)
    await seal(empty_db)
    bind_keyring(Keyring({**KEYRING.keys, "k2": b"2" * 32}, "k2", KEYRING.index_key))
    async with unit_of_work(empty_db) as session:
        (row,) = await all_of(empty_db, OutboxEvent, OutboxEvent.ordinal)
        await session.execute(update(OutboxEvent).values(payload=row.payload))
    await publishes(empty_db, 2)
    await seal(empty_db)

    rows = await all_of(empty_db, OutboxEvent, OutboxEvent.sealed_number)
    assert [again(row) == row.digest for row in rows] == [True, True]
    assert first_break(await sealed(empty_db)) is None


async def test_a_sealed_time_is_the_clocks(empty_db: Database) -> None:
    await publishes(empty_db, 1)
    (row,) = await all_of(empty_db, OutboxEvent, OutboxEvent.ordinal)

    assert abs(row.occurred_at - empty_db.clock.now()) < timedelta(minutes=1)
