"""One day, driven by hand over a real database: what keeps it open, who may close it, and two at once."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from sqlalchemy import func, select

from contracts.days import Sent
from foundation.clock import local_day_start
from foundation.db.guards import without_guard
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Busy, Conflict, Invalid, NotFound
from regulator_adapter.carrying import carry_over
from regulator_adapter.days import opening
from regulator_adapter.days.closed import closed_through, in_closed_day
from regulator_adapter.days.service import Count, Days, enter_count, hear, reconcile
from regulator_adapter.days.turning import Turning
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.resubmit import operator, resubmit
from tests.builders import events as b
from tests.builders import seals
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.a_day import DAY, a_day, kinds, proved, total
from tests.unit.regulator_adapter.feed import Adapter
from tests.unit.regulator_adapter.stating_platform import Document, agreeing, stating

pytestmark = pytest.mark.anyio

PERSON = operator("周敏")


async def covered(adapter: Adapter) -> int:
    async with unit_of_work(adapter.db) as session:
        query = select(func.count()).select_from(ReceivedEvent).where(in_closed_day())
        return await session.scalar(query) or 0


async def test_a_closed_day_says_which_events_it_covers(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    before = await covered(adapter)

    row = await reconcile(days, DAY)

    assert row.closed_at is not None
    assert (before, await covered(adapter)) == (0, 3)
    async with unit_of_work(adapter.db) as session:
        assert await closed_through(session, DAY) == adapter.feed.number
        assert await closed_through(session, DAY - timedelta(days=1)) is None


async def test_a_closed_day_stays_as_it_is(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    first = await reconcile(days, DAY)
    asked = len(adapter.platform.requests)

    again = await reconcile(days, DAY)

    assert (again.id, again.closed_at) == (first.id, first.closed_at)
    assert len(adapter.platform.requests) == asked


async def test_a_day_that_nobody_spoke_of_has_no_statement(adapter: Adapter, days: Days) -> None:
    with pytest.raises(NotFound):
        await reconcile(days, DAY)


async def test_a_day_without_events_is_closed_by_both_sides_with_zeros(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    quiet = DAY + timedelta(days=1)
    before = await hear(adapter.db, quiet, Sent(0, adapter.feed.number, adapter.feed.head.hex(), 0))

    closed = await reconcile(days, quiet)

    assert (before.closed_at, closed.closed_at is not None) == (None, True)
    assert (closed.events, closed.through) == (0, adapter.feed.number)
    assert json.loads(closed.theirs)["records"] == 0


async def test_a_day_before_the_first_event_is_closed_with_zeros_and_proved(
    adapter: Adapter, days: Days
) -> None:
    await hear(adapter.db, DAY, Sent(0, 0, "", 0))
    closed = await reconcile(days, DAY)

    assert (closed.events, json.loads(closed.ours)["chainHash"]) == (0, "00" * 32)
    assert (await proved(adapter, DAY)).problems == []


async def test_zeros_do_not_close_a_day_of_which_something_is_here(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    await hear(adapter.db, DAY, Sent(0, 0, "", 0))

    assert kinds(await reconcile(days, DAY)) == ["later"]


@pytest.mark.usefixtures("days")
async def test_a_day_is_opened_once_and_only_when_it_is_over(adapter: Adapter) -> None:
    envelope = adapter.feed.envelope("person:1", b.identity_verified(), adapter.db.clock.now())
    await adapter.inbox.take([envelope])
    today = await opening.open_days(adapter.db)
    adapter.pass_time(86_400)

    first, second = await opening.open_days(adapter.db), await opening.open_days(adapter.db)

    assert (today, len(first), second) == ([], 1, [])


async def test_a_record_on_its_way_keeps_the_day_open(adapter: Adapter, days: Days) -> None:
    adapter.platform.always = fake.failing(503)
    await a_day(adapter, 2)

    row = await reconcile(days, DAY)

    assert (row.state.value, kinds(row)) == ("differing", ["open"])
    assert row.differences[0]["numbers"] == [[1, 2]]


async def test_a_head_of_another_chain_keeps_the_day_open(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    await hear(adapter.db, DAY, Sent(3, adapter.feed.number, "ab" * 32, 0))

    assert kinds(await reconcile(days, DAY)) == ["sender_differs"]


async def test_numbers_beyond_what_arrived_are_named(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)

    heard = await hear(adapter.db, DAY, Sent(5, adapter.feed.number + 2, "ab" * 32, 0))

    assert heard.missing == [[4, 5]]
    assert kinds(await reconcile(days, DAY)) == ["not_arrived"]


async def test_an_event_nobody_vouched_for_keeps_the_day_open(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    await adapter.takes(("person:1", b.identity_verified()))
    await adapter.drain()

    assert kinds(await reconcile(days, DAY)) == ["later"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda document: document.update(day="2026-11-19"), "wrong_statement"),
        (lambda document: document.update(through=1), "wrong_statement"),
        (lambda document: document.update(organID="another"), "wrong_statement"),
        (lambda document: document.update(by="hospital"), "wrong_statement"),
        (lambda document: document.update(records=7), "unexplained"),
        (lambda document: document.update(chainHash="ab" * 32), "unexplained"),
    ],
)
async def test_a_statement_that_is_not_this_days_does_not_close_it(
    adapter: Adapter, days: Days, change: Any, kind: str
) -> None:
    adapter.platform.always = stating(change)
    await a_day(adapter)

    row = await reconcile(days, DAY)

    assert (row.state.value, kinds(row)) == ("differing", [kind])


@pytest.mark.parametrize(
    "who", [seals.hospital(), seals.signer("platform", "spiffe://internet-hospital/gateway-a")]
)
async def test_a_statement_sealed_by_another_is_refused(adapter: Adapter, days: Days, who: Any) -> None:
    adapter.platform.always = stating(signer=who)
    await a_day(adapter)

    row = await reconcile(days, DAY)

    assert (row.theirs, kinds(row)) == ("", ["seal_refused"])


@pytest.mark.parametrize(
    "answer", [fake.answering(-1, "不受理"), fake.refusing(40006), fake.failing(500), fake.answering(200)]
)
async def test_no_statement_leaves_the_day_open(adapter: Adapter, days: Days, answer: fake.Answer) -> None:
    await a_day(adapter)
    adapter.platform.always = answer

    assert kinds(await reconcile(days, DAY)) == ["platform_silent"]


async def test_without_a_seal_of_our_own_nothing_is_closed(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    bare = Days(days.db, days.client, days.chain, days.who, None, days.trust)

    assert kinds(await reconcile(bare, DAY)) == ["no_seal"]


async def test_what_the_platform_has_more_is_named(adapter: Adapter, days: Days) -> None:
    async def answer(request: fake.Request) -> web.Response:
        if request.method == "explainDay":
            extra = ["person:x", 1, "uploadRealName", 3, "00" * 32, "SH9"]
            return fake.inner(200, "", lines=[extra], more=False)
        return await stating(lambda document: document.update(parts={}))(request)

    await a_day(adapter)
    adapter.platform.always = answer

    row = await reconcile(days, DAY)

    assert kinds(row) == ["missing_there", "extra_there"]
    assert (row.differences[0]["count"], row.differences[0]["replayed"]) == (3, 3)
    assert row.differences[1]["numbers"] == [[3, 3]]


async def rejected(adapter: Adapter) -> Any:
    adapter.platform.script = [fake.answering(-1, "name不符")]
    await a_day(adapter, 1)
    async with unit_of_work(adapter.db) as session:
        return (await session.scalars(select(Submission).where(Submission.number == 1))).one()


async def test_a_record_that_is_not_with_people_is_not_carried_over(adapter: Adapter, days: Days) -> None:
    row = await rejected(adapter)
    await carry_over(adapter.db, row.id, PERSON, "平台停用该字典")
    assert not await carry_over(adapter.db, row.id, PERSON, "再次")
    await resubmit(adapter.db, row.id, PERSON, "已恢复")
    await adapter.drain()

    with pytest.raises(Conflict):
        await carry_over(adapter.db, row.id, PERSON, "已接收")
    with pytest.raises(NotFound):
        await carry_over(adapter.db, uuid4(), PERSON, "没有")


async def test_a_closing_names_who_carried_over_and_why(adapter: Adapter, days: Days) -> None:
    row = await rejected(adapter)
    await carry_over(adapter.db, row.id, PERSON, "平台停用该字典")

    closed = await reconcile(days, DAY)

    assert closed.closed_at is not None
    assert closed.closing is not None
    assert "周敏" in closed.closing
    assert "平台停用该字典" in closed.closing


async def test_counts_are_for_open_days_and_add_up(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)

    with pytest.raises(Invalid):
        await enter_count(adapter.db, DAY, Count("tianjin-1.0", "uploadAppointRecord", 1, 2), PERSON)
    with pytest.raises(NotFound):
        await enter_count(
            adapter.db, date(2020, 1, 1), Count("tianjin-1.0", "uploadAppointRecord", 1), PERSON
        )
    await reconcile(days, DAY)
    with pytest.raises(Conflict):
        await enter_count(adapter.db, DAY, Count("tianjin-1.0", "uploadAppointRecord", 1), PERSON)


async def test_duplicates_are_explained_only_by_answers_that_were_lost(adapter: Adapter, days: Days) -> None:
    visit = b.a_visit()
    await adapter.takes((f"visit:{visit.appointment_id}", b.appointment_booked(visit)))
    await adapter.drain()
    await opening.open_days(adapter.db)
    await hear(adapter.db, DAY, total(adapter, 1))

    await enter_count(adapter.db, DAY, Count("tianjin-1.0", "uploadAppointRecord", 2, 1), PERSON)
    invented = await reconcile(days, DAY)
    await enter_count(adapter.db, DAY, Count("tianjin-1.0", "uploadAppointRecord", 1), PERSON)

    assert kinds(invented) == ["count_differs"]
    assert (await reconcile(days, DAY)).closed_at is not None


async def test_a_closed_day_is_looked_at_again_in_a_supplement(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)

    opened = await opening.restate(adapter.db, DAY, PERSON, "省平台来函")
    again = await opening.restate(adapter.db, DAY, PERSON, "再次")
    await hear(adapter.db, DAY, total(adapter, 3))
    closed = await reconcile(days, DAY)

    assert (opened.supplement, again.id) == (1, opened.id)
    assert (closed.supplement, closed.closed_at is not None) == (1, True)


async def test_the_loop_opens_and_closes_what_is_due(adapter: Adapter, days: Days) -> None:
    await adapter.takes(("person:1", b.identity_verified()))
    await adapter.drain()
    turning = Turning(days, 300)

    left = await turning.turn()
    await hear(adapter.db, DAY, total(adapter, 1))

    assert (left, await turning.turn()) == (1, 0)


async def race_of_two(adapter: Adapter, days: Days) -> tuple[list[Any], int]:
    """Both want the day; the platform answers only when both have begun. Returns results and how often it was asked."""
    await a_day(adapter)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(request: fake.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return await stating()(request)

    adapter.platform.always = slowly
    first = asyncio.create_task(reconcile(days, DAY))
    await begun.wait()
    begun.clear()
    second = asyncio.create_task(reconcile(days, DAY))
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait({second, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    go_on.set()
    results = await asyncio.gather(first, second, return_exceptions=True)
    return list(results), adapter.platform.methods.count("exchangeDay")


async def test_of_two_reconcilers_one_asks_and_the_other_is_told_to_wait(
    adapter: Adapter, days: Days
) -> None:
    (first, second), asked = await race_of_two(adapter, days)

    assert first.closed_at is not None
    assert isinstance(second, Busy)
    assert asked == 1


async def test_without_the_lease_both_ask(adapter: Adapter, days: Days) -> None:
    with without_guard("statement_lease", allowed=True):
        _, asked = await race_of_two(adapter, days)

    assert asked == 2


async def test_a_turn_that_outlived_its_lease_writes_nothing(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)

    async def late(request: fake.Request) -> web.Response:
        adapter.pass_time(600)
        adapter.platform.always = stating()
        await reconcile(days, DAY)
        return await stating(lambda document: document.update(records=99))(request)

    adapter.platform.always = late
    with pytest.raises(Busy):
        await reconcile(days, DAY)

    assert (await reconcile(days, DAY)).closed_at is not None


async def test_a_day_of_many_streams_is_told_in_parts(adapter: Adapter, days: Days) -> None:
    told: list[Document] = []

    def keep(document: Document) -> None:
        told.append(dict(document))
        agreeing(document)

    start = local_day_start(DAY)
    for page in range(3):
        at = start + timedelta(minutes=page)
        await adapter.inbox.take(
            [adapter.feed.envelope(f"person:{uuid4()}", b.identity_verified(), at) for _ in range(400)]
        )
    await adapter.drain()
    adapter.platform.always = stating(keep)
    await opening.open_days(adapter.db)
    await hear(adapter.db, DAY, total(adapter, 1_200))

    row = await reconcile(days, DAY)

    assert row.closed_at is not None
    assert (told[0]["depth"], len(told[0]["parts"]), told[0]["streams"]) == (1, 16, 1_200)
