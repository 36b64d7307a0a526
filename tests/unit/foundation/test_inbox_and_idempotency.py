import asyncio

import pytest

from foundation.db import idempotency
from foundation.db.inbox import ExternalEvent, receive
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Conflict, Invalid
from foundation.ids import new_id
from tests.unit.foundation.doors import all_of

pytestmark = pytest.mark.anyio

ACTOR, KEY, DIGEST = new_id(), "press-once-1", b"d" * 32


async def test_a_callback_counts_once_per_source(empty_db: Database) -> None:
    results = []
    for source, external_id in (("wechat", "1"), ("wechat", "1"), ("courier", "1"), ("wechat", "2")):
        async with unit_of_work(empty_db) as session:
            results.append(await receive(session, source, external_id, "kind", "subject"))

    assert results == [True, False, True, True]
    assert len(await all_of(empty_db, ExternalEvent, ExternalEvent.id)) == 3


async def test_a_callback_that_was_rolled_back_may_come_again(empty_db: Database) -> None:
    with pytest.raises(RuntimeError):
        async with unit_of_work(empty_db) as session:
            assert await receive(session, "wechat", "1", "kind", "subject")
            raise RuntimeError

    async with unit_of_work(empty_db) as session:
        assert await receive(session, "wechat", "1", "kind", "subject")


async def test_the_same_press_twice_gets_the_same_answer(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        assert await idempotency.begin(session, ACTOR, KEY, DIGEST) is None
        await idempotency.finish(session, ACTOR, KEY, 201, "张".encode())

    async with unit_of_work(empty_db) as session:
        assert await idempotency.begin(session, ACTOR, KEY, DIGEST) == (201, "张".encode())


async def test_a_key_used_for_another_request_is_refused(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        await idempotency.begin(session, ACTOR, KEY, DIGEST)
        await idempotency.finish(session, ACTOR, KEY, 201, b"")

    async with unit_of_work(empty_db) as session:
        with pytest.raises(Conflict) as refused:
            await idempotency.begin(session, ACTOR, KEY, b"e" * 32)
    assert refused.value.code == "idempotency_key_reused"


async def test_somebody_elses_key_is_another_key(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        assert await idempotency.begin(session, ACTOR, KEY, DIGEST) is None
        assert await idempotency.begin(session, new_id(), KEY, DIGEST) is None


async def test_work_that_failed_may_be_done_with_the_same_key(empty_db: Database) -> None:
    with pytest.raises(RuntimeError):
        async with unit_of_work(empty_db) as session:
            await idempotency.begin(session, ACTOR, KEY, DIGEST)
            raise RuntimeError

    async with unit_of_work(empty_db) as session:
        assert await idempotency.begin(session, ACTOR, KEY, DIGEST) is None


async def test_the_second_of_two_presses_at_once_waits_for_the_answer_of_the_first(
    empty_db: Database,
) -> None:
    async def press() -> tuple[int, bytes] | None:
        async with unit_of_work(empty_db) as session:
            earlier = await idempotency.begin(session, ACTOR, KEY, DIGEST)
            if earlier is None:
                await asyncio.sleep(0.05)
                await idempotency.finish(session, ACTOR, KEY, 200, b"done")
            return earlier

    assert sorted(await asyncio.gather(press(), press()), key=bool) == [None, (200, b"done")]


async def test_an_answer_is_stored_encrypted(empty_db: Database) -> None:
    async with unit_of_work(empty_db) as session:
        await idempotency.begin(session, ACTOR, KEY, DIGEST)
        await idempotency.finish(session, ACTOR, KEY, 200, b"a name of somebody")

    (row,) = await all_of(empty_db, idempotency.IdempotencyKey, idempotency.IdempotencyKey.id)
    assert b"somebody" not in row.answer


@pytest.mark.parametrize("key", ["short", "k" * 81])
async def test_a_key_has_eight_to_eighty_characters(empty_db: Database, key: str) -> None:
    async with unit_of_work(empty_db) as session:
        with pytest.raises(Invalid) as refused:
            await idempotency.begin(session, ACTOR, key, DIGEST)
    assert refused.value.issues[0].field == "Idempotency-Key"
