"""Adverse events are signed in every day: by the day's records, or by one empty list."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from aiohttp import web

from contracts.supervision_desk import SignInView
from foundation.db.guards import without_guard
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter import profiles
from regulator_adapter.carrying import carry_over
from regulator_adapter.city_wire import Message
from regulator_adapter.desk import reading
from regulator_adapter.organisation import Organisation
from regulator_adapter.replies import Meaning, Reply
from regulator_adapter.resubmit import operator, resubmit
from regulator_adapter.settings import Timing
from regulator_adapter.sign_in import SignIn, signed_days
from tests.builders import events as b
from tests.races.lining_up import wait_for
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.fake_platform import FakePlatform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over

pytestmark = pytest.mark.anyio

TIANJIN = profiles.profile("tianjin-1.0")
PERSON = operator("值班员")
DISPUTE = "pushMedicalDispute"
DAY = date(2026, 11, 20)
MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


@pytest.fixture
async def adapter(db: Database, organisation: Organisation, platform: FakePlatform) -> AsyncIterator[Adapter]:
    """On the morning of its first day, something has arrived."""
    db.clock.shift(MORNING - datetime.now(UTC))
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as made:
        await made.inbox.take([made.feed.envelope("person:1", b.identity_verified(), MORNING)])
        yield made


def at(adapter: Adapter, hours: float) -> None:
    """So many hours after the first morning."""
    adapter.db.clock.shift(MORNING + timedelta(hours=hours) - datetime.now(UTC))


def signs(adapter: Adapter) -> SignIn:
    client = adapter.pump.lines[0].sender.client
    return SignIn(adapter.db, client, TIANJIN, Timing.PROFILE)


def empty_lists(adapter: Adapter) -> int:
    return sum(one.method == DISPUTE and one.records == [] for one in adapter.platform.requests)


async def the_day(adapter: Adapter, day: date = DAY) -> SignInView:
    async with unit_of_work(adapter.db) as session:
        [found] = await signed_days(session, [day])
    return found


async def test_a_day_without_events_sends_one_empty_list_in_the_night(adapter: Adapter) -> None:
    await signs(adapter).turn()
    at(adapter, 16.4)
    await signs(adapter).turn()
    before = empty_lists(adapter)

    at(adapter, 16.6)
    await adapter.hears(DAY, 1)
    await signs(adapter).turn()
    await signs(adapter).turn()

    assert (before, empty_lists(adapter)) == (0, 1)
    signed = await the_day(adapter)
    assert (signed.state, signed.records, signed.label) == ("closed", 0, "已签到")


async def test_a_day_with_an_adverse_event_is_signed_in_by_its_record(adapter: Adapter) -> None:
    await adapter.inbox.take(
        [adapter.feed.envelope("event:1", b.adverse_event_reported(b.a_visit()), MORNING)]
    )
    at(adapter, 17)
    await signs(adapter).turn()
    waiting = await the_day(adapter)

    await adapter.drain()
    at(adapter, 18)
    await signs(adapter).turn()

    assert (waiting.state, waiting.reply_code, waiting.records) == ("due", "waits", 1)
    assert empty_lists(adapter) == 0
    closed = await the_day(adapter)
    assert (closed.state, closed.records) == ("closed", 1)


async def test_an_event_that_waits_for_people_is_never_answered_with_none(adapter: Adapter) -> None:
    refused = adapter.feed.envelope("event:1", b.adverse_event_reported(b.a_visit()), MORNING)
    await adapter.inbox.take([refused])
    at(adapter, 17)
    adapter.platform.always = fake.answering(-99, "takeSteps")
    await adapter.drain()
    adapter.platform.always = None

    for hour in range(18, 30):
        at(adapter, hour)
        await signs(adapter).turn()

    assert (await the_day(adapter)).state == "due"
    assert empty_lists(adapter) == 0


async def test_none_is_not_said_before_the_backend_has_told_what_the_day_had(adapter: Adapter) -> None:
    at(adapter, 16.6)
    await signs(adapter).turn()
    silent = await the_day(adapter)

    await adapter.hears(DAY, 1)
    at(adapter, 16.7)
    await signs(adapter).turn()

    assert (silent.state, silent.reply_code) == ("due", "unheard")
    assert (await the_day(adapter)).state == "closed"
    assert empty_lists(adapter) == 1


@pytest.mark.parametrize(
    ("events", "more", "unsealed"), [(2, 1, 0), (2, 0, 0), (1, 0, 1), (1, 1, 0)], ids=str
)
async def test_none_is_not_said_while_something_of_the_day_is_under_way(
    adapter: Adapter, events: int, more: int, unsealed: int
) -> None:
    await adapter.hears(DAY, events, more=more, unsealed=unsealed)
    for hour in (16.6, 17, 20):
        at(adapter, hour)
        await signs(adapter).turn()

    assert (await the_day(adapter)).state == "due"
    assert empty_lists(adapter) == 0


async def test_an_event_that_the_relay_held_back_overnight_is_signed_in_by_its_record(
    adapter: Adapter,
) -> None:
    """The relay is down from ten in the evening; at half past one nothing of the day is missing as far as anybody here knows."""
    late = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    held = adapter.feed.envelope("event:1", b.adverse_event_reported(b.a_visit()), late)
    await adapter.hears(DAY, 2)
    at(adapter, 16.6)
    await signs(adapter).turn()

    at(adapter, 23)
    await adapter.inbox.take([held])
    await adapter.drain()
    await signs(adapter).turn()

    assert empty_lists(adapter) == 0
    closed = await the_day(adapter)
    assert (closed.state, closed.records) == ("closed", 1)


async def test_what_comes_after_none_was_said_is_written_on_the_day(adapter: Adapter) -> None:
    await adapter.hears(DAY, 1)
    at(adapter, 16.6)
    await signs(adapter).turn()

    await adapter.inbox.take(
        [adapter.feed.envelope("event:1", b.adverse_event_reported(b.a_visit()), MORNING)]
    )
    await adapter.drain()

    signed = await the_day(adapter)
    assert (signed.state, signed.records, signed.reply_code) == ("closed", 1, "late")
    assert [len(one.records) for one in adapter.platform.requests if one.method == DISPUTE] == [0, 1]


async def test_what_comes_while_none_is_being_said_is_written_on_the_day(adapter: Adapter) -> None:
    await adapter.hears(DAY, 1)
    late = adapter.feed.envelope("event:1", b.adverse_event_reported(b.a_visit()), MORNING)

    async def meanwhile(request: fake.Request) -> web.Response:
        await adapter.inbox.take([late])
        await adapter.pump.mapper.map_batch()
        return await fake.accept(request)

    adapter.platform.script = [meanwhile]
    at(adapter, 16.6)
    await signs(adapter).turn()

    signed = await the_day(adapter)
    assert (signed.state, signed.records, signed.reply_code) == ("closed", 1, "late")


async def brought_while_none_is_written_down(adapter: Adapter) -> SignInView:
    """The platform has taken the empty list, nobody has looked for records since, and that is not committed yet."""
    await adapter.hears(DAY, 1)
    at(adapter, 16.6)
    daily = signs(adapter)
    async with unit_of_work(adapter.db) as session:
        await daily._make_missing(session)
    row = await daily._claim()
    assert row is not None
    async with unit_of_work(adapter.db) as session:
        await daily._settle(session, row, Reply(Meaning.ACCEPTED, "200"), Message({}, b"", "AB" * 32))
        await adapter.inbox.take(
            [adapter.feed.envelope("event:1", b.adverse_event_reported(b.a_visit()), MORNING)]
        )
        bringing = asyncio.ensure_future(adapter.pump.mapper.map_batch())
        queued = asyncio.ensure_future(wait_for(adapter.db, 1))
        await asyncio.wait({bringing, queued}, return_when=asyncio.FIRST_COMPLETED)
        queued.cancel()
    await bringing
    return await the_day(adapter)


async def test_whoever_says_none_and_whoever_brings_an_event_cannot_miss_each_other(adapter: Adapter) -> None:
    signed = await brought_while_none_is_written_down(adapter)

    assert (signed.state, signed.records, signed.reply_code) == ("closed", 1, "late")


async def test_without_the_lock_of_the_day_they_do(adapter: Adapter) -> None:
    with without_guard("sign_in_lock", allowed=True):
        signed = await brought_while_none_is_written_down(adapter)

    assert (signed.state, signed.records, signed.reply_code) == ("closed", 0, "200")


async def test_a_day_whose_record_was_carried_over_ends_so_and_is_signed_in_when_it_goes_after_all(
    adapter: Adapter,
) -> None:
    refused = adapter.feed.envelope("event:1", b.adverse_event_reported(b.a_visit()), MORNING)
    await adapter.inbox.take([refused])
    at(adapter, 17)
    adapter.platform.always = fake.answering(-99, "takeSteps")
    await adapter.drain()
    adapter.platform.always = None
    row = await adapter.row(refused.event_id, DISPUTE)
    await carry_over(adapter.db, row.id, PERSON, "平台停用该字典")
    await signs(adapter).turn()
    carried = await the_day(adapter)

    await resubmit(adapter.db, row.id, PERSON, "平台已更新")
    await adapter.drain()
    await signs(adapter).turn()

    assert (carried.state, carried.records, carried.reply_code) == ("carried", 1, "carried")
    closed = await the_day(adapter)
    assert (closed.state, closed.reply_code) == ("closed", "records")
    assert empty_lists(adapter) == 0


@pytest.mark.parametrize("answer", [fake.losing, fake.failing(503), fake.refusing(-1), fake.refusing(40011)])
async def test_what_may_be_tried_again_is_tried_until_the_platform_has_the_day(
    adapter: Adapter, answer: fake.Answer
) -> None:
    await adapter.hears(DAY, 1)
    adapter.platform.script = [answer, answer]
    for hour in (17.0, 17.5, 18.0):
        at(adapter, hour)
        await signs(adapter).turn()

    signed = await the_day(adapter)
    assert (signed.state, signed.attempts) == ("closed", 2)


async def test_what_the_platform_refuses_waits_for_people(adapter: Adapter) -> None:
    await adapter.hears(DAY, 1)
    adapter.platform.always = fake.answering(-98, "数据为空")
    for hour in (17, 18, 19):
        at(adapter, hour)
        await signs(adapter).turn()

    signed = await the_day(adapter)
    assert (signed.state, signed.reply_code) == ("refused", "200/-98")
    assert empty_lists(adapter) == 1


async def test_days_that_nobody_was_there_for_are_made_up(adapter: Adapter) -> None:
    at(adapter, 3 * 24 + 17)
    for day in (20, 21, 22, 23):
        await adapter.hears(date(2026, 11, day), 1 if day == 20 else 0)
    await signs(adapter).turn()

    assert empty_lists(adapter) == 4
    assert [(await the_day(adapter, date(2026, 11, day))).state for day in (20, 21, 22, 23)] == ["closed"] * 4


async def test_two_processes_sign_in_once(adapter: Adapter) -> None:
    at(adapter, 17)
    await adapter.hears(DAY, 1)

    await asyncio.gather(*(signs(adapter).turn() for _ in range(4)))

    assert empty_lists(adapter) == 1


async def test_nothing_is_signed_in_before_anything_arrived(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    async with adapter_over(db, organisation, platform) as adapter:
        await signs(adapter).turn()

    assert platform.requests == []


async def test_people_see_a_refused_sign_in_at_their_desk(adapter: Adapter) -> None:
    await adapter.hears(DAY, 1)
    adapter.platform.always = fake.answering(-98, "数据为空")
    at(adapter, 17)
    await signs(adapter).turn()

    waiting = await reading.records(adapter.db, reading.RecordsQuery())
    day = await reading.day_detail(adapter.db, DAY)
    seen = await reading.overview(adapter.db, profiles.NAMES, {})

    assert [(one.day, one.reply_text) for one in waiting.sign_ins] == [(DAY, "数据为空")]
    assert [(one.kind, one.state) for one in day.sign_ins] == [("医疗争议与不良事件", "refused")]
    assert seen.sign_ins_refused == 1
