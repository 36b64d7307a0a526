from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from foundation.db.intents import (
    LEASE,
    LIMIT,
    LIMIT_UNREACHABLE,
    Intent,
    TryLater,
    Work,
    backoff,
    due_ids,
    intend,
    run_one,
    withdraw,
)
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Busy, Conflict, Unavailable
from foundation.ids import new_id
from tests.database import moves_on

pytestmark = pytest.mark.anyio

KIND, SUBJECT = "test.work", new_id()
Handler = Callable[[Work[object]], Awaitable[None]]


async def asked(db: Database, *, due_in: timedelta | None = None) -> UUID:
    async with unit_of_work(db) as session:
        due = None if due_in is None else db.clock.now() + due_in
        await intend(session, KIND, SUBJECT, due=due)
    return (await the_intent(db)).id


async def the_intent(db: Database) -> Intent:
    async with unit_of_work(db) as session:
        return (await session.scalars(select(Intent).where(Intent.done_at.is_(None)))).one()


async def open_intents(db: Database) -> int:
    async with unit_of_work(db) as session:
        return len((await session.scalars(select(Intent.id).where(Intent.done_at.is_(None)))).all())


async def runs(db: Database, handler: Handler, intent_id: UUID) -> bool:
    return await run_one(db, object(), {KIND: handler}, intent_id)


async def works(_: Work[object]) -> None:
    """Does it."""


def fails_with(error: Exception) -> Handler:
    async def handler(_: Work[object]) -> None:
        raise error

    return handler


async def test_work_is_done_once_and_knows_its_subject(empty_db: Database) -> None:
    seen: list[UUID] = []

    async def handler(work: Work[object]) -> None:
        seen.append(work.subject)

    intent_id = await asked(empty_db)

    assert await runs(empty_db, handler, intent_id)
    assert not await runs(empty_db, handler, intent_id)
    assert seen == [SUBJECT]
    assert await due_ids(empty_db) == []


async def test_asking_twice_is_one_piece_of_work(empty_db: Database) -> None:
    assert await asked(empty_db) == await asked(empty_db)
    assert await open_intents(empty_db) == 1


async def test_work_is_not_due_before_its_time(empty_db: Database) -> None:
    intent_id = await asked(empty_db, due_in=timedelta(minutes=10))
    assert await due_ids(empty_db) == []
    assert not await runs(empty_db, works, intent_id)

    moves_on(empty_db.clock, minutes=11)

    assert await due_ids(empty_db) == [intent_id]
    assert await runs(empty_db, works, intent_id)


async def test_work_withdrawn_is_not_done(empty_db: Database) -> None:
    intent_id = await asked(empty_db)
    async with unit_of_work(empty_db) as session:
        await withdraw(session, KIND, SUBJECT)

    assert not await runs(empty_db, works, intent_id)
    assert await open_intents(empty_db) == 0


async def test_what_somebody_works_on_is_not_taken_until_the_lease_is_over(empty_db: Database) -> None:
    intent_id = await asked(empty_db)
    taken: list[bool] = []

    async def handler(_: Work[object]) -> None:
        taken.append(await runs(empty_db, works, intent_id))
        assert await due_ids(empty_db) == []
        moves_on(empty_db.clock, seconds=LEASE.total_seconds() + 1)
        assert await due_ids(empty_db) == [intent_id]
        taken.append(await runs(empty_db, works, intent_id))

    await runs(empty_db, handler, intent_id)

    assert taken == [False, True]


async def test_silence_is_tried_again_with_growing_pauses(empty_db: Database) -> None:
    intent_id = await asked(empty_db)
    pauses = []
    for _ in range(4):
        assert await runs(empty_db, fails_with(Unavailable("away")), intent_id)
        pauses.append(round(((await the_intent(empty_db)).due_at - empty_db.clock.now()).total_seconds()))
        assert await due_ids(empty_db) == []
        moves_on(empty_db.clock, seconds=pauses[-1] + 1)

    assert pauses == [1, 2, 4, 8]
    assert await runs(empty_db, works, intent_id)
    assert await open_intents(empty_db) == 0


def test_the_longest_pause_is_ten_minutes() -> None:
    assert [backoff(attempts).total_seconds() for attempts in (1, 10, 11, 5000)] == [1, 512, 600, 600]


async def test_a_handler_may_say_itself_when_to_come_again(empty_db: Database) -> None:
    intent_id = await asked(empty_db)
    for _ in range(LIMIT + 2):
        await runs(empty_db, fails_with(TryLater("not yet", timedelta(minutes=5))), intent_id)
        moves_on(empty_db.clock, minutes=6)

    row = await the_intent(empty_db)
    assert (row.parked_at, row.attempts) == (None, LIMIT + 2)


async def test_a_refusal_is_parked_at_once_for_a_person(empty_db: Database) -> None:
    intent_id = await asked(empty_db)

    await runs(empty_db, fails_with(Conflict("退款金额与申请不符", code="refund_mismatch")), intent_id)

    row = await the_intent(empty_db)
    assert row.parked_at is not None
    assert row.last_error == "Conflict: 退款金额与申请不符"
    moves_on(empty_db.clock, days=30)
    assert await due_ids(empty_db) == []
    assert not await runs(empty_db, works, intent_id)


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (ZeroDivisionError("ours"), LIMIT),
        (Unavailable("away"), LIMIT_UNREACHABLE),
        (Busy(), LIMIT_UNREACHABLE),
    ],
)
async def test_what_fails_again_and_again_is_parked_in_the_end(
    empty_db: Database, error: Exception, limit: int
) -> None:
    intent_id = await asked(empty_db)
    async with unit_of_work(empty_db) as session:
        await session.execute(update(Intent).values(attempts=limit - 2))

    await runs(empty_db, fails_with(error), intent_id)
    assert (await the_intent(empty_db)).parked_at is None
    moves_on(empty_db.clock, minutes=11)
    await runs(empty_db, fails_with(error), intent_id)

    assert (await the_intent(empty_db)).parked_at is not None


async def test_parked_work_that_is_asked_for_again_starts_afresh(empty_db: Database) -> None:
    intent_id = await asked(empty_db)
    await runs(empty_db, fails_with(Conflict()), intent_id)

    assert await asked(empty_db) == intent_id

    row = await the_intent(empty_db)
    assert (row.parked_at, row.attempts) == (None, 0)
    assert await runs(empty_db, works, intent_id)


async def test_work_asked_for_while_it_runs_is_done_once_more(empty_db: Database) -> None:
    intent_id = await asked(empty_db)

    async def handler(_: Work[object]) -> None:
        await asked(empty_db)

    await runs(empty_db, handler, intent_id)

    assert await due_ids(empty_db) == [intent_id]
    assert (await the_intent(empty_db)).attempts == 0
    assert await runs(empty_db, works, intent_id)
    assert await open_intents(empty_db) == 0


async def test_work_asked_for_by_a_clock_that_is_behind_is_done_once_more(empty_db: Database) -> None:
    """The asking transaction may have read its clock before the worker did: the wish must not be lost."""
    intent_id = await asked(empty_db)

    async def handler(_: Work[object]) -> None:
        moves_on(empty_db.clock, seconds=-1)
        await asked(empty_db)
        moves_on(empty_db.clock, seconds=1)

    await runs(empty_db, handler, intent_id)

    assert await due_ids(empty_db) == [intent_id]


async def test_a_wish_that_comes_while_the_work_fails_is_not_parked_with_it(empty_db: Database) -> None:
    intent_id = await asked(empty_db)

    async def handler(_: Work[object]) -> None:
        await asked(empty_db)
        raise Conflict

    await runs(empty_db, handler, intent_id)

    assert await due_ids(empty_db) == [intent_id]


async def test_work_withdrawn_while_it_fails_is_neither_parked_nor_open(empty_db: Database) -> None:
    intent_id = await asked(empty_db)

    async def handler(_: Work[object]) -> None:
        async with unit_of_work(empty_db) as session:
            await withdraw(session, KIND, SUBJECT)
        raise Conflict

    await runs(empty_db, handler, intent_id)

    async with unit_of_work(empty_db) as session:
        row = await session.get_one(Intent, intent_id)
    assert row.done_at is not None
    assert row.parked_at is None


async def test_work_nobody_can_do_is_kept_for_a_person(empty_db: Database) -> None:
    intent_id = await asked(empty_db)

    assert await run_one(empty_db, object(), {}, intent_id)

    row = await the_intent(empty_db)
    assert "KeyError" in row.last_error


async def test_numbers_of_people_do_not_reach_the_list_of_parked_work(empty_db: Database) -> None:
    intent_id = await asked(empty_db)

    await runs(empty_db, fails_with(Conflict("310114199001010011 打 19900000001")), intent_id)

    assert (await the_intent(empty_db)).last_error == "Conflict: 310114********0011 打 199****0001"
