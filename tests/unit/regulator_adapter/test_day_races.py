"""What happens to a day while it is being closed: nothing that was not compared gets into it, nothing that leaves it is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from foundation.db.guards import without_guard
from foundation.db.unit_of_work import unit_of_work
from regulator_adapter.carrying import carry_over
from regulator_adapter.days import opening
from regulator_adapter.days.model import Statement
from regulator_adapter.days.service import Count, Days, enter_count, hear, reconcile
from regulator_adapter.dropping import drop_contents
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.resubmit import operator, resubmit
from tests.builders import events as b
from tests.races.lining_up import holding, wait_for
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.a_day import DAY, a_day, a_day_with_one_refused, kinds, proved, total
from tests.unit.regulator_adapter.feed import Adapter
from tests.unit.regulator_adapter.stating_platform import stating

pytestmark = pytest.mark.anyio
PERSON = operator("周敏")


async def beside(adapter: Adapter, first: Awaitable[Any], second: Awaitable[Any], lock: str) -> list[Any]:
    """The second begins while the first stands before `lock`; both go on when the second waits, too, or is through."""
    async with holding(adapter.db, lock):
        tasks = [asyncio.ensure_future(first)]
        await wait_for(adapter.db, 1)
        tasks.append(asyncio.ensure_future(second))
        waiting = asyncio.ensure_future(wait_for(adapter.db, 2))
        await asyncio.wait({tasks[1], waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def the_record(adapter: Adapter) -> Submission:
    async with unit_of_work(adapter.db) as session:
        return (await session.scalars(select(Submission).where(Submission.number == 1))).one()


async def newest(adapter: Adapter) -> Statement:
    async with unit_of_work(adapter.db) as session:
        found = await opening.latest(session, DAY)
    assert found is not None
    return found


async def carried(adapter: Adapter, people: int = 2) -> Submission:
    """The first record was refused, and a person let the day close without it."""
    await a_day_with_one_refused(adapter, people)
    row = await the_record(adapter)
    await carry_over(adapter.db, row.id, PERSON, "平台停用该字典")
    return row


async def given_back_while_its_day_closes(adapter: Adapter, days: Days) -> tuple[str, int, bool]:
    """State of the record, and the newest statement: which one, whether it is closed."""
    row = await carried(adapter, people=1)
    frozen = "LOCK TABLE frozen_records IN EXCLUSIVE MODE"
    await beside(adapter, reconcile(days, DAY), resubmit(adapter.db, row.id, PERSON, "已恢复"), frozen)
    last = await newest(adapter)
    return (await the_record(adapter)).state.value, last.supplement, last.closed_at is not None


async def test_a_record_given_back_while_its_day_closes_is_stated_in_a_supplement(
    adapter: Adapter, days: Days
) -> None:
    assert await given_back_while_its_day_closes(adapter, days) == ("received", 1, False)


async def test_without_the_lock_of_the_days_nobody_states_it_anew(adapter: Adapter, days: Days) -> None:
    with without_guard("stream_lock", allowed=True):
        assert await given_back_while_its_day_closes(adapter, days) == ("received", 0, True)


async def meanwhile(adapter: Adapter, days: Days, happens: Callable[[], Awaitable[Any]]) -> Statement:
    """The turn's outcome, when this happened while the platform was asked."""

    async def answer(request: fake.Request) -> web.Response:
        if request.method == "exchangeDay":
            adapter.platform.always = stating()
            await happens()
        return await stating()(request)

    adapter.platform.always = answer
    return await reconcile(days, DAY)


async def test_a_day_does_not_close_on_totals_that_were_never_compared(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    other = total(adapter, 4)

    row = await meanwhile(adapter, days, lambda: hear(adapter.db, DAY, other))

    assert kinds(row) == ["changed"]
    assert kinds(await reconcile(days, DAY)) == ["sender_differs"]


async def test_without_looking_again_it_closes_on_them(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    other = total(adapter, 4)

    with without_guard("stated_again", allowed=True):
        row = await meanwhile(adapter, days, lambda: hear(adapter.db, DAY, other))

    assert row.closed_at is not None
    assert (await proved(adapter, DAY)).problems == ["the outbox sent 4 events, 3 are listed"]


async def given_back_while_its_day_is_counted(adapter: Adapter, days: Days) -> tuple[list[str], str]:
    """Between two looks of one statement; what keeps the day open, and the record's state."""
    row = await carried(adapter)
    async with holding(adapter.db, "LOCK TABLE platform_count IN ACCESS EXCLUSIVE MODE"):
        turn = asyncio.create_task(reconcile(days, DAY))
        await wait_for(adapter.db, 1)
        await resubmit(adapter.db, row.id, PERSON, "已恢复")
    return kinds(await turn), (await the_record(adapter)).state.value


async def test_a_record_given_back_while_its_day_is_counted_keeps_it_open(
    adapter: Adapter, days: Days
) -> None:
    assert await given_back_while_its_day_is_counted(adapter, days) == (["changed"], "received")


async def test_without_looking_again_the_day_closes_over_a_record_on_its_way(
    adapter: Adapter, days: Days
) -> None:
    with without_guard("stated_again", allowed=True):
        assert await given_back_while_its_day_is_counted(adapter, days) == ([], "received")


async def test_a_count_that_is_corrected_meanwhile_is_compared_again(adapter: Adapter, days: Days) -> None:
    visit = b.a_visit()
    await adapter.takes((f"visit:{visit.appointment_id}", b.appointment_booked(visit)))
    await adapter.drain()
    await opening.open_days(adapter.db)
    await hear(adapter.db, DAY, total(adapter, 1))
    read = Count("tianjin-1.0", "uploadAppointRecord", 1)
    await enter_count(adapter.db, DAY, read, PERSON)

    row = await meanwhile(adapter, days, lambda: enter_count(adapter.db, DAY, replace(read, count=7), PERSON))

    assert kinds(row) == ["changed"]
    assert kinds(await reconcile(days, DAY)) == ["count_differs"]


async def test_a_record_carried_over_for_another_is_not_the_one_that_was_stated(
    adapter: Adapter, days: Days
) -> None:
    """As many as before, but not the same decision: it was given back, refused again and carried over again."""
    row = await carried(adapter)

    async def again() -> None:
        await resubmit(adapter.db, row.id, PERSON, "已恢复")
        adapter.platform.script = [fake.answering(-1, "sex不符")]
        await adapter.drain()
        adapter.pass_time(1)
        await carry_over(adapter.db, row.id, PERSON, "仍停用")

    assert kinds(await meanwhile(adapter, days, again)) == ["changed"]
    assert (await reconcile(days, DAY)).closed_at is not None


async def sent_again_while_contents_go(adapter: Adapter, days: Days) -> tuple[str, bool]:
    """A closed day is looked at again and the platform has lost it; state of the record, whether its content is here."""
    await a_day(adapter, 1)
    await reconcile(days, DAY)
    await opening.restate(adapter.db, DAY, PERSON, "省平台来函")
    await hear(adapter.db, DAY, total(adapter, 1))
    adapter.platform.always = stating(lambda document: document.update(parts={}))
    adapter.db.clock.shift(adapter.db.clock._offset + timedelta(seconds=1))

    records = "LOCK TABLE submission IN EXCLUSIVE MODE"
    await beside(adapter, reconcile(days, DAY), drop_contents(adapter.db), records)

    async with unit_of_work(adapter.db) as session:
        kept = await session.scalar(select(ReceivedEvent.payload.is_not(None)))
    return (await the_record(adapter)).state.value, bool(kept)


async def test_the_content_of_a_record_that_is_sent_again_stays(adapter: Adapter, days: Days) -> None:
    assert await sent_again_while_contents_go(adapter, days) == ("received", True)


async def test_without_the_lock_it_is_gone_when_it_is_wanted(adapter: Adapter, days: Days) -> None:
    with without_guard("content_lock", allowed=True):
        assert await sent_again_while_contents_go(adapter, days) == ("received", False)
