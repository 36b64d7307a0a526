"""A day is caught up by its date."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from foundation.actor import Actor
from foundation.db.unit_of_work import Database
from foundation.errors import Invalid
from regulator_adapter import profiles
from regulator_adapter.backfill import backfill
from regulator_adapter.organisation import Organisation
from regulator_adapter.settings import Timing
from regulator_adapter.sign_in import SignIn
from tests.builders import events as b
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.fake_platform import FakePlatform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 20)
MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
PERSON = Actor("operator", None, frozenset({"operator"}), "值班员")


@pytest.fixture
async def adapter(db: Database, organisation: Organisation, platform: FakePlatform) -> AsyncIterator[Adapter]:
    """It is a quarter past midnight of the day after: an hour before the night's turn."""
    db.clock.shift(datetime(2026, 11, 20, 16, 15, tzinfo=UTC) - datetime.now(UTC))
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as made:
        yield made


async def test_what_waits_for_the_night_goes_out_now(adapter: Adapter) -> None:
    visit = b.a_visit()
    await adapter.inbox.take(
        [
            adapter.feed.envelope("visit:1", b.appointment_booked(visit), MORNING),
            adapter.feed.envelope("visit:1", b.encounter_completed(visit), MORNING),
        ]
    )
    await adapter.drain()
    before = [method for method in adapter.platform.methods if method != "uploadChainLink"]

    [done] = await backfill(adapter.db, DAY, DAY, PERSON)
    await adapter.drain()

    assert before == []
    assert adapter.platform.methods[-2:] == ["uploadAppointRecord", "uploadReferralIndicators"]
    released = {line.method: line.released for line in done.lines}
    assert released == {"uploadAppointRecord": 1, "uploadReferralIndicators": 1, "uploadChainLink": 0}


async def test_the_day_is_signed_in(adapter: Adapter) -> None:
    await adapter.inbox.take([adapter.feed.envelope("person:1", b.identity_verified(), MORNING)])

    [done] = await backfill(adapter.db, DAY, DAY, PERSON)
    daily = SignIn(
        adapter.db, adapter.pump.lines[0].sender.client, profiles.profile("tianjin-1.0"), Timing.PROFILE
    )
    await adapter.hears(DAY, 1)
    await daily.turn()
    [after] = await backfill(adapter.db, DAY, DAY, PERSON)

    assert [signed.state for signed in done.sign_ins] == ["due"]
    assert [signed.state for signed in after.sign_ins] == ["closed"]


async def test_a_day_before_the_feed_began_is_signed_in_though_nobody_tells_of_it(adapter: Adapter) -> None:
    await adapter.inbox.take([adapter.feed.envelope("person:1", b.identity_verified(), MORNING)])
    before = DAY - timedelta(days=1)

    await backfill(adapter.db, before, before, PERSON)
    daily = SignIn(
        adapter.db, adapter.pump.lines[0].sender.client, profiles.profile("tianjin-1.0"), Timing.PROFILE
    )
    await daily.turn()
    [after] = await backfill(adapter.db, before, before, PERSON)

    assert [signed.state for signed in after.sign_ins] == ["closed"]


async def test_a_sign_in_that_was_refused_is_tried_once_more(adapter: Adapter) -> None:
    await adapter.hears(DAY, 0)
    await backfill(adapter.db, DAY, DAY, PERSON)
    daily = SignIn(
        adapter.db, adapter.pump.lines[0].sender.client, profiles.profile("tianjin-1.0"), Timing.PROFILE
    )
    adapter.platform.script = [fake.answering(-1, "今日不收")]
    await daily.turn()

    [refused] = await backfill(adapter.db, DAY, DAY, PERSON)
    await daily.turn()
    [after] = await backfill(adapter.db, DAY, DAY, PERSON)

    assert [one.sign_ins[0].state for one in (refused, after)] == ["due", "closed"]


async def test_what_people_have_to_decide_on_is_named_and_left_alone(adapter: Adapter) -> None:
    visit = b.a_visit()
    nobody = msgspec.structs.replace(visit, patient=msgspec.structs.replace(visit.patient, phone=""))
    await adapter.inbox.take([adapter.feed.envelope("visit:1", b.appointment_booked(nobody), MORNING)])
    await adapter.drain()

    [done] = await backfill(adapter.db, DAY, DAY, PERSON)
    await adapter.drain()

    [named] = done.people
    assert "uploadAppointRecord not_sent mobile" in named
    assert "uploadAppointRecord" not in adapter.platform.methods


async def test_other_days_and_other_platforms_stay_as_they_are(adapter: Adapter) -> None:
    after = datetime(2026, 11, 20, 16, 5, tzinfo=UTC)
    await adapter.inbox.take([adapter.feed.envelope("visit:1", b.appointment_booked(b.a_visit()), after)])

    [day] = await backfill(adapter.db, DAY, DAY, PERSON)
    [other] = await backfill(adapter.db, DAY, DAY, PERSON, profile="shanghai")
    await adapter.drain()

    assert (day.lines, other.sign_ins) == ([], day.sign_ins)
    assert "uploadAppointRecord" not in adapter.platform.methods


@pytest.mark.parametrize(
    ("first", "last", "profile"),
    [(date(2026, 11, 21), date(2026, 11, 21), None), (DAY, date(2026, 11, 19), None), (DAY, DAY, "moon")],
)
async def test_a_day_that_is_not_over_and_a_platform_nobody_knows_are_refused(
    adapter: Adapter, first: date, last: date, profile: str | None
) -> None:
    with pytest.raises(Invalid):
        await backfill(adapter.db, first, last, PERSON, profile=profile)
