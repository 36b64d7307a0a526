"""What the backend says it sent of a day, and what it sends again."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.supervision import tasks
from contracts import events
from foundation.clock import local_day_start
from foundation.db.outbox import OutboxEvent, publish
from foundation.db.sealer import seal
from foundation.db.unit_of_work import Database, unit_of_work
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
