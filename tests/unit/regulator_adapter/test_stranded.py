"""What depends on a record that was carried over goes to people too, may be carried over itself, and comes back with it."""

import asyncio

import msgspec
import pytest
from aiohttp import web

from contracts.days import Sent
from foundation.clock import Clock, local
from foundation.db.guards import without_guard
from regulator_adapter import profiles
from regulator_adapter.carrying import carry_over
from regulator_adapter.days import opening
from regulator_adapter.days.model import Statement
from regulator_adapter.days.service import Count, Days, enter_count, hear, reconcile
from regulator_adapter.figures import SubmissionView, submissions
from regulator_adapter.organisation import Organisation
from regulator_adapter.resubmit import operator, resubmit
from regulator_adapter.states import SubmissionState
from regulator_adapter.stranded import OVERDUE
from tests.builders import events as b
from tests.builders import seals
from tests.races.lining_up import holding, wait_for
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.feed import Adapter
from tests.unit.regulator_adapter.mapped import all_records
from tests.unit.regulator_adapter.stating_platform import stating

pytestmark = pytest.mark.anyio

DAY = local(b.MORNING).date()
PERSON = operator("周敏")
FOLLOW_UP = "uploadReferralIndicators"
DEPENDANTS = {
    "uploadElectMedicalRecord",
    "uploadRecipeIndicators",
    "uploadRecipeVerificationIndicators",
    "uploadBusinessInfoAfter",
}


async def refuse_follow_ups(request: fake.Request) -> web.Response:
    if request.method == FOLLOW_UP:
        return fake.inner(-99, "mobile")
    return await stating()(request)


async def a_visit_without_its_follow_up(adapter: Adapter, *, phone: str | None = None) -> SubmissionView:
    """The whole visit has arrived; the follow-up's record waits for people. `phone` is what the follow-up says of it."""
    visit, prescription = b.a_visit(), b.a_prescription()
    stream = f"visit:{visit.appointment_id}"
    seen = visit
    if phone is not None:
        seen = msgspec.structs.replace(visit, patient=msgspec.structs.replace(visit.patient, phone=phone))
    await adapter.takes(
        ("catalogue", b.drug_catalogue_changed()),
        (stream, b.record_signed(visit)),
        (stream, b.encounter_completed(seen)),
        (stream, b.dispense_completed(visit, prescription)),
        (stream, b.evaluation_submitted(visit)),
    )
    await adapter.drain()
    [found] = [row for row in await submissions(adapter.db) if row.method == FOLLOW_UP]
    return found


async def waiting(adapter: Adapter) -> dict[str, SubmissionView]:
    """With people, by method."""
    return {row.method: row for row in await submissions(adapter.db, state=SubmissionState.PARKED)}


@pytest.fixture
def days(adapter: Adapter, organisation: Organisation) -> Days:
    adapter.db.clock.shift(seals.NOW - Clock().now())
    adapter.platform.always = stating()
    client = adapter.pump.lines[0].sender.client
    trust = seals.trust("platform", seals.PLATFORM)
    return Days(adapter.db, client, profiles.profile("shanghai"), organisation, seals.hospital(), trust)


async def count_and_close(adapter: Adapter, days: Days) -> Statement:
    """The sender has told, somebody has counted, both sides compare."""
    await opening.open_days(adapter.db)
    await hear(adapter.db, DAY, Sent(5, adapter.feed.number, adapter.feed.head.hex(), 0))
    for row in await submissions(adapter.db, state=SubmissionState.ACCEPTED):
        if row.profile == "tianjin-1.0":
            many = 2 if row.method == "uploadDrugCatalogue" else 1
            await enter_count(adapter.db, DAY, Count(row.profile, row.method, many), PERSON)
    return await reconcile(days, DAY)


async def test_a_day_closes_once_the_follow_up_and_all_that_hangs_on_it_is_carried_over(
    adapter: Adapter, days: Days
) -> None:
    follow_up = await a_visit_without_its_follow_up(adapter, phone="")
    await carry_over(adapter.db, follow_up.id, PERSON, "患者未留手机号")
    await adapter.pump.park_stranded()
    stranded = await waiting(adapter)
    del stranded[FOLLOW_UP]
    before = await count_and_close(adapter, days)

    for row in stranded.values():
        await carry_over(adapter.db, row.id, PERSON, "复诊记录未能上报")
    after = await count_and_close(adapter, days)

    assert follow_up.state == "parked"
    assert stranded.keys() == DEPENDANTS
    assert {row.reply_code for row in stranded.values()} == {"need_carried"}
    assert "在线复诊 " in stranded["uploadRecipeIndicators"].reply_text
    assert "电子处方 " in stranded["uploadRecipeVerificationIndicators"].reply_text
    assert {one["kind"] for one in before.differences} == {"for_people"}
    assert (after.differences, after.closed_at is not None) == ([], True)


async def test_what_hangs_on_a_record_that_still_waits_for_people_waits_too(adapter: Adapter) -> None:
    await a_visit_without_its_follow_up(adapter, phone="")

    adapter.pass_time(5 * 86_400)
    await adapter.takes(("person:1", b.identity_verified()))
    await adapter.pump.park_stranded()

    assert (await waiting(adapter)).keys() == {FOLLOW_UP}


async def test_a_record_that_is_sent_after_all_takes_with_it_what_was_left_behind(
    adapter: Adapter, days: Days
) -> None:
    adapter.platform.always = refuse_follow_ups
    follow_up = await a_visit_without_its_follow_up(adapter)
    await carry_over(adapter.db, follow_up.id, PERSON, "平台字典未更新")
    await adapter.pump.park_stranded()
    for row in (await waiting(adapter)).values():
        await carry_over(adapter.db, row.id, PERSON, "复诊记录未能上报")
    closed = await count_and_close(adapter, days)

    adapter.platform.always = stating()
    await resubmit(adapter.db, follow_up.id, PERSON, "平台已更新")
    await adapter.drain()
    again = await count_and_close(adapter, days)

    assert closed.closed_at is not None
    assert {row.state for row in await submissions(adapter.db)} == {"accepted"}
    assert (again.supplement, again.closed_at is not None) == (1, True)


async def test_a_record_whose_need_never_came_goes_to_people_once_the_feed_has_moved_on(
    adapter: Adapter,
) -> None:
    signed = (await adapter.takes(("visit:1", b.record_signed(b.a_visit()))))[0]
    await adapter.drain()

    adapter.pass_time(OVERDUE.total_seconds() + 60)
    await adapter.pump.park_stranded()
    silent = await waiting(adapter)
    now = adapter.db.clock.now()
    await adapter.inbox.take([adapter.feed.envelope("person:1", b.identity_verified(), now)])
    await adapter.pump.park_stranded()

    assert silent == {}
    parked = await waiting(adapter)
    assert [(row.event_id, row.reply_code) for row in parked.values()] == [(signed.event_id, "need_missing")]


async def states_after_a_race(adapter: Adapter) -> set[str]:
    """The follow-up is resubmitted while what hangs on it is just being parked."""
    adapter.platform.always = refuse_follow_ups
    follow_up = await a_visit_without_its_follow_up(adapter)
    await carry_over(adapter.db, follow_up.id, PERSON, "平台字典未更新")
    adapter.platform.always = None
    dependants = f"SELECT id FROM submission WHERE method <> '{FOLLOW_UP}' FOR UPDATE"
    async with holding(adapter.db, dependants):
        parking = asyncio.ensure_future(adapter.pump.park_stranded())
        await wait_for(adapter.db, 1)
        going = asyncio.ensure_future(resubmit(adapter.db, follow_up.id, PERSON, "平台已更新"))
        queued = asyncio.ensure_future(wait_for(adapter.db, 2))
        await asyncio.wait({going, queued}, return_when=asyncio.FIRST_COMPLETED)
        queued.cancel()
    await asyncio.gather(parking, going)
    await adapter.drain()
    return {row.state for row in await submissions(adapter.db)}


async def test_nothing_is_left_behind_by_a_record_that_just_goes_again(adapter: Adapter) -> None:
    assert await states_after_a_race(adapter) == {"accepted"}


async def test_without_holding_what_is_needed_it_is(adapter: Adapter) -> None:
    with without_guard("stranded_lock", allowed=True):
        states = await states_after_a_race(adapter)

    assert "parked" in states


@pytest.mark.parametrize(("profile", "table"), [("tianjin-1.0", "city"), ("guangdong", "guangdong")])
def test_a_needed_record_makes_known_the_number_it_is_stored_under(profile: str, table: str) -> None:
    methods = profiles.profile(profile).methods
    needed = {kind for method in methods.values() for kind, _ in method.needs if not kind.startswith("@")}
    checked = set()
    for _, stop, record, _ in all_records(b.Feed().envelopes(b.one_of_each()), table):
        if stop.profile == profile and methods[stop.method].makes[0] in needed | {"consultation"}:
            assert record[methods[stop.method].makes[1]] == stop.number
            checked.add(methods[stop.method].makes[0])
    assert checked >= needed
