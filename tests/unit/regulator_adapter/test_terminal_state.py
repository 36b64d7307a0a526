"""Under T+1 a business number goes out once, and says what is true when it goes."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from foundation.db.unit_of_work import Database
from regulator_adapter.figures import figures
from regulator_adapter.organisation import Organisation
from regulator_adapter.settings import Timing
from tests.builders import events as b
from tests.unit.regulator_adapter.fake_platform import FakePlatform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over

pytestmark = pytest.mark.anyio

MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
NIGHT = 17 * 3600
"""From nine in the morning past half past one of the next day."""


async def sent_at_night(adapter: Adapter, *events: object) -> list[dict[str, object]]:
    """What goes out of a morning's `events` of one visit in the night after."""
    adapter.db.clock.shift(MORNING - datetime.now(UTC))
    await adapter.inbox.take([adapter.feed.envelope("visit:1", event, MORNING) for event in events])
    await adapter.drain()
    assert "uploadAppointRecord" not in adapter.platform.methods
    adapter.pass_time(NIGHT)
    await adapter.drain()
    return [
        record
        for request in adapter.platform.requests
        if request.method == "uploadAppointRecord"
        for record in request.records
    ]


async def test_a_booking_given_back_on_its_day_is_told_once_with_the_reason(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    visit = b.a_visit()
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        sent = await sent_at_night(adapter, b.appointment_booked(visit), b.appointment_cancelled(visit))

    assert [record["cancelReason"] for record in sent] == ["临时有事"]


async def test_a_booking_moved_on_its_day_is_told_at_its_new_hour(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    visit = b.a_visit()
    later = msgspec.structs.replace(visit, starts_at=datetime(2026, 11, 22, 6, 0, tzinfo=UTC))
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        sent = await sent_at_night(adapter, b.appointment_booked(visit), b.appointment_moved(later))

    assert [record["startTime"] for record in sent] == ["2026-11-22 14:00:00"]


async def test_what_arrives_after_its_night_is_told_as_it_stands_too(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    visit = b.a_visit()
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        db.clock.shift(MORNING + timedelta(days=2) - datetime.now(UTC))
        events = (b.appointment_booked(visit), b.appointment_cancelled(visit))
        await adapter.inbox.take([adapter.feed.envelope("visit:1", event, MORNING) for event in events])
        await adapter.drain()

    [sent] = [request.records[0] for request in platform.requests if request.method == "uploadAppointRecord"]
    assert sent["cancelReason"] == "临时有事"


async def test_a_booking_with_a_missing_field_is_with_people_before_its_night(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    visit = b.a_visit()
    nobody = msgspec.structs.replace(visit, patient=msgspec.structs.replace(visit.patient, phone=""))
    db.clock.shift(MORNING - datetime.now(UTC))
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        booked = adapter.feed.envelope("visit:1", b.appointment_booked(nobody), MORNING)
        await adapter.inbox.take([booked])
        await adapter.drain()
        row = await adapter.row(booked.event_id, "uploadAppointRecord")

    assert (row.state, row.problems) == ("parked", "mobile")


async def test_a_follow_up_does_not_overtake_the_booking_that_waits_for_the_same_night(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    visit = b.a_visit()
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        await sent_at_night(adapter, b.appointment_booked(visit), b.encounter_completed(visit))

    assert [method for method in platform.methods if method != "uploadChainLink"] == [
        "uploadAppointRecord",
        "uploadReferralIndicators",
    ]


@pytest.mark.parametrize("amended", [True, False])
async def test_a_record_is_told_once_in_the_version_that_stands_when_its_night_comes(
    db: Database, organisation: Organisation, platform: FakePlatform, amended: bool
) -> None:
    visit = b.a_visit()
    first = b.record_signed(visit)
    second = msgspec.structs.replace(
        b.record_amended(visit), record_id=first.record_id, present_history="补记：近一周偶有头晕。"
    )
    another = msgspec.structs.replace(b.record_amended(visit), present_history="另一份病历")
    events = [b.encounter_completed(visit), first, *([second] if amended else []), another]
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        await sent_at_night(adapter, *events)

    [sent] = [
        request.records[0] for request in platform.requests if request.method == "uploadElectMedicalRecord"
    ]
    assert sent["presentHistory"] == (second if amended else first).present_history


async def test_a_second_event_of_a_number_that_was_reported_goes_to_people(adapter: Adapter) -> None:
    visit = b.a_visit()
    await adapter.takes(("visit:1", b.appointment_booked(visit)), ("visit:1", b.encounter_declined(visit)))
    await adapter.drain()

    again = (await adapter.takes(("visit:1", b.encounter_completed(visit))))[0]
    await adapter.drain()

    row = await adapter.row(again.event_id, "uploadReferralIndicators")
    assert (row.state, row.reply_code) == ("parked", "already_reported")
    assert adapter.platform.methods.count("uploadReferralIndicators") == 1


async def test_two_events_of_one_number_in_one_delivery_send_one(adapter: Adapter) -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    await adapter.takes(
        ("catalogue", b.drug_catalogue_changed()),
        ("visit:1", b.encounter_completed(visit)),
        ("visit:1", b.dispense_completed(visit, prescription)),
        ("visit:1", b.prescription_expired(visit, prescription)),
    )
    await adapter.drain()

    counted = await figures(adapter.db)
    assert adapter.platform.methods.count("uploadRecipeIndicators") == 1
    assert adapter.platform.methods.count("uploadRecipeVerificationIndicators") == 1
    assert counted.parked == 2


async def test_a_drug_that_changes_again_is_sent_again(adapter: Adapter) -> None:
    await adapter.takes(("catalogue", b.drug_catalogue_changed()))
    await adapter.drain()
    await adapter.takes(("catalogue", b.drug_catalogue_changed()))
    await adapter.drain()

    assert adapter.platform.methods.count("uploadDrugCatalogue") == 2
    assert (await figures(adapter.db)).parked == 0
