"""Which days are opened: no event, and no day of which nothing arrived, is ever without a statement."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from contracts.days import Sent
from contracts.envelope import Envelope
from foundation.clock import local_day_start
from foundation.db.guards import without_guard
from foundation.db.unit_of_work import unit_of_work
from regulator_adapter.days import opening
from regulator_adapter.days.model import Statement
from regulator_adapter.days.service import Days, hear, reconcile
from regulator_adapter.resubmit import operator
from tests.builders import events as b
from tests.races.lining_up import both, kinds
from tests.unit.regulator_adapter.a_day import DAY, a_day, total
from tests.unit.regulator_adapter.feed import Adapter

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("days")]
PERSON = operator("周敏")
NEXT = DAY + timedelta(days=1)
DAY_SECONDS = 86_400


def happens(adapter: Adapter, at: datetime) -> Envelope:
    return adapter.feed.envelope(f"person:{uuid4()}", b.identity_verified(), at)


async def supplements(adapter: Adapter) -> list[int]:
    async with unit_of_work(adapter.db) as session:
        return list(
            await session.scalars(
                select(Statement.supplement).where(Statement.day == DAY).order_by("supplement")
            )
        )


async def test_what_arrived_before_the_last_look_of_its_day_is_opened_when_the_day_is_over(
    adapter: Adapter,
) -> None:
    """The evening of a day on which the adapter was away: yesterday is opened, today has events already, and is quiet from then on."""
    now = adapter.db.clock.now()
    today = adapter.db.clock.today()
    await adapter.inbox.take([happens(adapter, now - timedelta(days=1)), happens(adapter, now)])
    yesterday = await opening.open_days(adapter.db)
    adapter.pass_time(DAY_SECONDS)

    opened = await opening.open_days(adapter.db)

    assert (yesterday, opened) == ([today - timedelta(days=1)], [today])
    assert await opening.open_days(adapter.db) == []


async def test_a_late_event_numbered_before_an_event_of_today_opens_a_supplement(
    adapter: Adapter, days: Days
) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)
    await adapter.inbox.take([happens(adapter, adapter.db.clock.now())])
    await opening.open_days(adapter.db)
    await adapter.inbox.take([happens(adapter, b.MORNING + timedelta(hours=1))])

    assert await opening.open_days(adapter.db) == [DAY]
    assert await supplements(adapter) == [0, 1]


async def test_a_closed_supplement_is_not_opened_again_by_what_it_covers(
    adapter: Adapter, days: Days
) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)
    await adapter.inbox.take([happens(adapter, b.MORNING + timedelta(hours=1))])
    await opening.open_days(adapter.db)
    await adapter.drain()
    await hear(adapter.db, DAY, total(adapter, 4))
    closed = await reconcile(days, DAY)

    assert (closed.supplement, closed.closed_at is not None) == (1, True)
    assert await opening.open_days(adapter.db) == []


async def test_a_hole_does_not_hide_the_days_behind_it(adapter: Adapter) -> None:
    happens(adapter, b.MORNING)  # it never arrives
    await adapter.inbox.take([happens(adapter, b.MORNING + timedelta(hours=1))])
    await adapter.inbox.take([happens(adapter, b.MORNING + timedelta(days=1))])

    assert await opening.open_days(adapter.db) == [DAY, NEXT]


async def test_a_day_of_which_nothing_arrived_is_opened_when_the_backend_speaks_of_it(
    adapter: Adapter, days: Days
) -> None:
    await a_day(adapter)
    lost = happens(adapter, local_day_start(NEXT))

    heard = await hear(adapter.db, NEXT, total(adapter, 1))
    row = await reconcile(days, NEXT)

    assert heard.missing == [[lost.number, lost.number]]
    assert [one["kind"] for one in row.differences] == ["not_arrived"]
    async with unit_of_work(adapter.db) as session:
        assert [one.day for one in await opening.unclosed(session)] == [DAY, NEXT]


async def test_a_day_that_is_not_over_is_not_opened_by_what_is_said_of_it(adapter: Adapter) -> None:
    today = adapter.db.clock.today()

    heard = await hear(adapter.db, today, Sent(0, 0, "", 0))

    assert heard.closed_at is None
    async with unit_of_work(adapter.db) as session:
        assert await opening.latest(session, today) is None


async def test_closed_days_are_told_in_runs(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    for ahead in (0, 1, 2):
        day = DAY + timedelta(days=ahead)
        await hear(adapter.db, day, total(adapter, 0 if ahead else 3))
        if ahead != 1:
            await reconcile(days, day)
    async with unit_of_work(adapter.db) as session:
        parted = await opening.closed_days(session)
    await reconcile(days, NEXT)
    await opening.restate(adapter.db, DAY, PERSON, "省平台来函")
    async with unit_of_work(adapter.db) as session:
        joined = await opening.closed_days(session)

    last = DAY + timedelta(days=2)
    assert parted == [(DAY, DAY), (last, last)]
    assert joined == [(NEXT, last)]


async def two_speak_of_a_new_day(adapter: Adapter) -> list[str]:
    said = Sent(0, 0, "", 0)
    results = await both(
        adapter.db,
        hear(adapter.db, DAY, said),
        hear(adapter.db, DAY, said),
        lock="LOCK TABLE statement IN EXCLUSIVE MODE",
    )
    return kinds([one if isinstance(one, Exception) else "heard" for one in results])


async def test_two_who_speak_of_a_new_day_open_it_once(adapter: Adapter) -> None:
    assert await two_speak_of_a_new_day(adapter) == ["'heard'", "'heard'"]


async def test_without_the_lock_of_the_days_one_of_them_fails(adapter: Adapter) -> None:
    with without_guard("stream_lock", allowed=True):
        assert "'heard'" in (results := await two_speak_of_a_new_day(adapter))

    assert results != ["'heard'", "'heard'"]
