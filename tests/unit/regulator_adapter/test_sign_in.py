"""Adverse events are signed in every day: by the day's records, or by one empty list."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter import profiles
from regulator_adapter.organisation import Organisation
from regulator_adapter.settings import Timing
from regulator_adapter.sign_in import SignedDay, SignIn, signed_days
from tests.builders import events as b
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.fake_platform import FakePlatform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over

pytestmark = pytest.mark.anyio

TIANJIN = profiles.profile("tianjin-1.0")
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


async def the_day(adapter: Adapter, day: date = DAY) -> SignedDay:
    async with unit_of_work(adapter.db) as session:
        [found] = await signed_days(session, [day])
    return found


async def test_a_day_without_events_sends_one_empty_list_in_the_night(adapter: Adapter) -> None:
    await signs(adapter).turn()
    at(adapter, 16.4)
    await signs(adapter).turn()
    before = empty_lists(adapter)

    at(adapter, 16.6)
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


@pytest.mark.parametrize("answer", [fake.losing, fake.failing(503), fake.refusing(-1), fake.refusing(40011)])
async def test_what_may_be_tried_again_is_tried_until_the_platform_has_the_day(
    adapter: Adapter, answer: fake.Answer
) -> None:
    adapter.platform.script = [answer, answer]
    for hour in (17.0, 17.5, 18.0):
        at(adapter, hour)
        await signs(adapter).turn()

    signed = await the_day(adapter)
    assert (signed.state, signed.attempts) == ("closed", 2)


async def test_what_the_platform_refuses_waits_for_people(adapter: Adapter) -> None:
    adapter.platform.always = fake.answering(-98, "数据为空")
    for hour in (17, 18, 19):
        at(adapter, hour)
        await signs(adapter).turn()

    signed = await the_day(adapter)
    assert (signed.state, signed.reply_code) == ("refused", "200/-98")
    assert empty_lists(adapter) == 1


async def test_days_that_nobody_was_there_for_are_made_up(adapter: Adapter) -> None:
    at(adapter, 3 * 24 + 17)
    await signs(adapter).turn()

    assert empty_lists(adapter) == 4
    assert [(await the_day(adapter, date(2026, 11, day))).state for day in (20, 21, 22, 23)] == ["closed"] * 4


async def test_two_processes_sign_in_once(adapter: Adapter) -> None:
    at(adapter, 17)

    await asyncio.gather(*(signs(adapter).turn() for _ in range(4)))

    assert empty_lists(adapter) == 1


async def test_nothing_is_signed_in_before_anything_arrived(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    async with adapter_over(db, organisation, platform) as adapter:
        await signs(adapter).turn()

    assert platform.requests == []
