"""Rows of several tables in one statement, reads without a transaction, and connections that die behind SQLAlchemy's back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, text

from foundation.actor import SYSTEM
from foundation.db.audit import AuditEvent, digest_of, line_of
from foundation.db.bulk import driver, insert_all, whole
from foundation.db.idempotency import IdempotencyKey, kept, replayed
from foundation.db.intents import Intent, open_intent
from foundation.db.unit_of_work import Database, connect, looking, unit_of_work
from foundation.errors import Unavailable
from foundation.ids import new_id

pytestmark = pytest.mark.anyio
ODD = "引号\"'\\ 和换行\n\t、{}[]、表情😀"


@asynccontextmanager
async def another(db: Database) -> AsyncIterator[Database]:
    """With one connection of its own."""
    made = connect(db.engine.url.render_as_string(hide_password=False), db.clock, pool=1, application="dying")
    try:
        yield made
    finally:
        await made.engine.dispose()


async def kill(db: Database) -> None:
    async with db.engine.connect() as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dying'")
        )


async def test_rows_of_several_tables_come_back_as_they_were_given(empty_db: Database) -> None:
    """Texts with anything in them, sealed values, bytes, times, nothing at all."""
    now, actor, subject = empty_db.clock.now(), new_id(), new_id()
    line = line_of(now, SYSTEM, "door.open", "door", ODD, request="r-1", detail={"why": ODD})
    tables = {
        AuditEvent: [line, line_of(now, SYSTEM, "door.shut", "door", "2", request="")],
        Intent: [open_intent("door.watch", subject, now)],
        IdempotencyKey: [kept(actor, ODD, b"\x00\xff", 201, ODD.encode(), now)],
    }

    async with unit_of_work(empty_db) as session:
        await insert_all(session, tables)

    async with unit_of_work(empty_db) as session:
        first, _ = (await session.scalars(select(AuditEvent).order_by(AuditEvent.ordinal))).all()
        assert (first.subject_id, first.detail, first.at, first.actor_id) == (ODD, {"why": ODD}, now, None)
        assert first.digest == digest_of(first)
        intent = (await session.scalars(select(Intent))).one()
        assert (intent.due_at, intent.attempts, intent.last_error, intent.done_at) == (now, 0, "", None)
        key = (await session.scalars(select(IdempotencyKey))).one()
        assert (key.key, key.digest) == (ODD, b"\x00\xff")
        assert replayed(key.digest, key.digest, key.answer) == ODD.encode()


async def test_nothing_to_write_is_no_statement(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        await insert_all(session, {AuditEvent: []})

        assert not session.in_transaction() or not (await session.scalars(select(AuditEvent))).all()


async def test_what_was_written_in_bulk_goes_back_with_the_rest(empty_db: Database) -> None:
    with pytest.raises(RuntimeError):
        async with unit_of_work(empty_db) as session:
            await insert_all(session, {Intent: [open_intent("door.watch", new_id(), empty_db.clock.now())]})
            raise RuntimeError

    async with unit_of_work(empty_db) as session:
        assert (await session.scalars(select(Intent))).all() == []


def test_a_row_is_filled_up_with_the_models_own_defaults(bound: None) -> None:
    row = whole(Intent, {"kind": "door.watch"})

    assert row.keys() == {column.name for column in Intent.__table__.columns}
    assert (row["attempts"], row["last_error"], row["done_at"]) == (0, "", None)


def test_what_json_cannot_carry_is_refused_before_it_is_written(bound: None) -> None:
    """A table with a document of its own needs another way."""
    from backend.dispensing.model import Dispense

    with pytest.raises(TypeError):
        whole(Dispense, {})


async def test_reading_needs_no_transaction(empty_db: Database) -> None:
    async with looking(empty_db) as connection:
        assert await connection.fetchval("SELECT 1") == 1
        assert not connection.is_in_transaction()


async def test_a_connection_that_died_while_nobody_looked_is_replaced(empty_db: Database) -> None:
    async with another(empty_db) as dying:
        async with looking(dying) as connection:
            await connection.fetchval("SELECT 1")
        await kill(empty_db)

        with pytest.raises(Unavailable):
            async with looking(dying) as connection:
                await connection.fetchval("SELECT 1")

        async with looking(dying) as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_a_transaction_whose_connection_died_under_it_is_refused_and_the_next_one_works(
    empty_db: Database,
) -> None:
    async with another(empty_db) as dying:
        with pytest.raises(Unavailable):
            async with unit_of_work(dying) as session:
                connection = await driver(session)
                await kill(empty_db)
                await connection.fetchval("SELECT 1")

        async with unit_of_work(dying) as session:
            assert await (await driver(session)).fetchval("SELECT 1") == 1
