import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
import pytest
from aiohttp import web

from foundation.db.guards import without_guard
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter import profiles
from regulator_adapter.city_client import MAX_REPLY
from regulator_adapter.city_wire import Message
from regulator_adapter.claims import LEASE, Batch, claim
from regulator_adapter.figures import figures
from regulator_adapter.organisation import Organisation
from regulator_adapter.replies import Meaning, Reply
from regulator_adapter.settings import Timing
from regulator_adapter.submit import Answer
from tests.builders import events as b
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.fake_platform import FakePlatform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over

pytestmark = pytest.mark.anyio

TIANJIN = profiles.profile("tianjin-1.0")
SHANGHAI = profiles.profile("shanghai")


async def test_everything_that_happened_is_accepted(adapter: Adapter) -> None:
    envelopes = await adapter.takes(*b.one_of_each())

    await adapter.drain()

    counted = await figures(adapter.db)
    assert (counted.received, counted.missing, counted.parked, counted.waiting) == (len(envelopes), 0, 0, 0)
    assert counted.accepted == counted.routed > len(envelopes)


async def test_a_receipt_is_kept_or_the_digest_of_what_was_sent(adapter: Adapter) -> None:
    booked = (await adapter.takes(("visit:1", b.appointment_booked(b.a_visit()))))[0]

    await adapter.drain()

    link = await adapter.row(booked.event_id, "uploadChainLink")
    record = await adapter.row(booked.event_id, "uploadAppointRecord")
    assert link.receipt == f"SH{1:020d}"
    assert len(record.receipt) == 64
    assert record.receipt == record.receipt.upper()


async def test_a_record_waits_for_what_it_depends_on(adapter: Adapter) -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    stream = f"visit:{visit.appointment_id}"
    await adapter.takes(
        (stream, b.appointment_booked(visit)),
        (stream, b.record_signed(visit)),
        (stream, b.dispense_completed(visit, prescription)),
        (stream, b.evaluation_submitted(visit)),
    )
    await adapter.drain()
    early = [method for method in adapter.platform.methods if method != "uploadChainLink"]
    waiting = (await figures(adapter.db)).waiting

    await adapter.takes((stream, b.encounter_completed(visit)), ("catalogue", b.drug_catalogue_changed()))
    await adapter.drain()

    assert early == ["uploadAppointRecord"]
    assert waiting == 4
    order = [method for method in adapter.platform.methods if method != "uploadChainLink"]
    assert order[1:3] in (
        ["uploadReferralIndicators", "uploadDrugCatalogue"],
        ["uploadDrugCatalogue", "uploadReferralIndicators"],
    )
    assert order[3:] == [
        "uploadElectMedicalRecord", "uploadRecipeIndicators", "uploadRecipeVerificationIndicators", "uploadBusinessInfoAfter",
    ]  # fmt: skip
    assert (await figures(adapter.db)).missing == 0


async def test_a_waiting_record_says_what_it_waits_for(adapter: Adapter) -> None:
    visit = b.a_visit()
    signed = (await adapter.takes(("visit:1", b.record_signed(visit))))[0]

    await adapter.drain()

    row = await adapter.row(signed.event_id, "uploadElectMedicalRecord")
    assert (row.state, row.waits_for) == ("mapped", [f"revisit:{visit.appointment_id}"])


async def test_records_of_one_stream_keep_the_order_of_its_events(adapter: Adapter) -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    await adapter.takes(
        ("visit:1", b.encounter_started(visit)),
        ("visit:1", b.prescription_signed(visit, prescription)),
        ("visit:1", b.record_viewed(visit)),
        ("visit:1", b.prescription_approved(visit, prescription)),
        ("visit:1", b.prescription_cancelled(visit, prescription)),
    )

    await adapter.drain()

    numbers = [record["hospitalSeq"] for request in adapter.platform.requests for record in request.records]
    assert numbers == [1, 2, 3, 4, 5]


async def test_records_of_many_streams_travel_together(adapter: Adapter) -> None:
    await adapter.takes(*((f"person:{at}", b.identity_verified()) for at in range(60)))

    await adapter.drain()

    assert Counter(len(request.records) for request in adapter.platform.requests) == {50: 1, 10: 1}


async def test_a_list_stays_below_the_size_that_the_gateway_takes(adapter: Adapter) -> None:
    visit = b.a_visit()
    long = "y" * 3900
    for at in range(60):
        signed = msgspec.structs.replace(b.prescription_signed(visit, b.a_prescription()), signature=long)
        await adapter.takes((f"visit:{at}", signed))
    bodies: list[int] = []

    async def measure(request: fake.Request) -> web.Response:
        bodies.append(2 * len(msgspec.json.encode(request.records)))
        return await fake.accept(request)

    adapter.platform.always = measure
    await adapter.drain()

    assert max(bodies) < 1_000_000
    assert sum(len(request.records) for request in adapter.platform.requests) == 60


async def test_a_missing_field_parks_the_record_with_the_fields_named(adapter: Adapter) -> None:
    visit = b.a_visit(msgspec.structs.replace(b.CHILD, phone=""))
    booked = (await adapter.takes(("visit:1", b.appointment_booked(visit))))[0]

    await adapter.drain()

    row = await adapter.row(booked.event_id, "uploadAppointRecord")
    assert (row.state, row.problems) == ("parked", "mobile|guardianCertID|guardianName")
    assert adapter.platform.methods == ["uploadChainLink"]


async def test_a_record_that_looks_back_waits_for_the_events_before_it(adapter: Adapter) -> None:
    visit = b.a_visit()
    booked = adapter.feed.envelope("visit:1", b.appointment_booked(visit))
    cancelled = adapter.feed.envelope("visit:1", b.appointment_cancelled(visit))
    await adapter.inbox.take([cancelled])
    await adapter.drain()
    before = await adapter.row(cancelled.event_id, "uploadBooking")

    await adapter.inbox.take([booked])
    adapter.pass_time(3)
    await adapter.drain()

    assert before.state == "received"
    assert (await adapter.row(cancelled.event_id, "uploadBooking")).state == "accepted"


@pytest.mark.parametrize("code", [-99, -98, -1])
async def test_an_inner_error_goes_to_people(adapter: Adapter, code: int) -> None:
    adapter.platform.always = fake.answering(code, "mobile|age")
    verified = (await adapter.takes(("person:1", b.identity_verified())))[0]

    await adapter.drain()

    row = await adapter.row(verified.event_id, "uploadRealName")
    assert (row.state, row.reply_code, row.reply_text) == ("rejected", f"200/{code}", "mobile|age")
    assert row.problems == ("mobile|age" if code == -99 else "")
    assert len(adapter.platform.requests) == 1


@pytest.mark.parametrize("code", [40001, 40012])
async def test_a_refused_request_is_parked(adapter: Adapter, code: int) -> None:
    adapter.platform.always = fake.refusing(code)
    verified = (await adapter.takes(("person:1", b.identity_verified())))[0]

    await adapter.drain()

    row = await adapter.row(verified.event_id, "uploadRealName")
    assert (row.state, row.reply_code) == ("parked", str(code))


@pytest.mark.parametrize("code", [-1, 40011])
async def test_a_busy_platform_is_asked_again_later(adapter: Adapter, code: int) -> None:
    adapter.platform.script = [fake.refusing(code)]
    booked = (await adapter.takes(("visit:1", b.appointment_booked(b.a_visit()))))[0]
    await adapter.drain()
    first = [row.state for row in await adapter.rows(booked.event_id)]

    adapter.pass_time(2)
    await adapter.drain()

    assert "submitted" in first
    assert [row.state for row in await adapter.rows(booked.event_id)] == ["accepted", "accepted"]
    assert (await figures(adapter.db)).ambiguous == 0


async def test_a_record_that_fails_too_often_is_parked(adapter: Adapter) -> None:
    adapter.platform.always = fake.refusing(-1)
    verified = (await adapter.takes(("person:1", b.identity_verified())))[0]

    for _ in range(6):
        await adapter.drain()
        adapter.pass_time(100)

    row = await adapter.row(verified.event_id, "uploadRealName")
    assert (row.state, row.attempts, row.reply_code) == ("parked", 5, "-1")


@pytest.mark.parametrize(
    "answer", [fake.failing(503), fake.refusing(40003), fake.refusing(40007), fake.failing(403)]
)
async def test_a_closed_door_holds_the_line_and_costs_no_record_an_attempt(
    adapter: Adapter, answer: fake.Answer
) -> None:
    adapter.platform.always = answer
    envelopes = await adapter.takes(*((f"visit:{at}", b.appointment_booked(b.a_visit())) for at in range(20)))
    for line in adapter.pump.lines:
        await adapter.pump.mapper.map_batch()
        await line.turn()
        await line.finish()
    knocked = len(adapter.platform.requests)

    adapter.platform.always = None
    adapter.pass_time(40)
    await adapter.drain()

    assert knocked <= 8
    rows = [row for envelope in envelopes for row in await adapter.rows(envelope.event_id)]
    assert {row.state for row in rows} == {"accepted"}
    assert {row.attempts for row in rows} == {1}


async def test_the_other_gateway_is_tried_when_one_is_gone(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    gateways = ["http://127.0.0.1:1", platform.url]
    async with adapter_over(db, organisation, platform, gateways=gateways) as adapter:
        await adapter.takes(("visit:1", b.appointment_booked(b.a_visit())))
        await adapter.drain()

    counted = await figures(db)
    assert (counted.missing, counted.ambiguous) == (0, 0)


async def test_a_lost_answer_is_asked_for_again_where_the_platform_knows_the_event(adapter: Adapter) -> None:
    adapter.platform.script = [fake.losing, fake.losing, fake.losing]
    verified = (await adapter.takes(("person:1", b.identity_verified())))[0]

    for _ in range(4):
        await adapter.drain()
        adapter.pass_time(30)

    assert (await adapter.row(verified.event_id, "uploadRealName")).state == "accepted"
    assert len(adapter.platform.requests) == 4


@pytest.mark.parametrize(("resends", "sent"), [(0, 1), (1, 2), (2, 3)])
async def test_where_it_would_be_stored_twice_it_is_sent_again_only_as_often_as_configured(
    db: Database, organisation: Organisation, platform: FakePlatform, resends: int, sent: int
) -> None:
    async with adapter_over(db, organisation, platform, resends=resends) as adapter:
        lose_bookings(platform)
        booked = (await adapter.takes(("visit:1", b.appointment_booked(b.a_visit()))))[0]
        for _ in range(6):
            await adapter.drain()
            adapter.pass_time(30)
        row = await adapter.row(booked.event_id, "uploadAppointRecord")

    assert (row.state, row.reply_code) == ("parked", "ambiguous")
    assert platform.methods.count("uploadAppointRecord") == sent


def lose_bookings(platform: FakePlatform) -> None:
    async def answer(request: fake.Request) -> web.Response:
        if request.method == "uploadAppointRecord":
            return await fake.losing(request)
        return await fake.accept(request)

    platform.always = answer


async def test_a_record_that_may_have_arrived_stays_marked_when_it_is_accepted(adapter: Adapter) -> None:
    await adapter.takes(("visit:1", b.appointment_booked(b.a_visit())))
    lose_bookings(adapter.platform)
    await adapter.drain()
    adapter.platform.always = None
    adapter.pass_time(5)
    await adapter.drain()

    counted = await figures(adapter.db)
    assert (counted.missing, counted.ambiguous) == (0, 1)


async def test_a_bad_record_of_a_list_is_refused_alone(adapter: Adapter) -> None:
    envelopes = await adapter.takes(*((f"person:{at}", b.identity_verified()) for at in range(3)))
    bad = str(envelopes[1].event_id)

    async def stop_at_the_second(request: fake.Request) -> web.Response:
        stored = fake.receipts(request)[:1]
        return fake.inner(-99, "mobile", failedIndex=1, failedEventId=bad, receipts=stored)

    adapter.platform.script = [stop_at_the_second]
    await adapter.drain()

    states = [(await adapter.rows(envelope.event_id))[0].state for envelope in envelopes]
    assert states == ["accepted", "rejected", "accepted"]
    assert [len(request.records) for request in adapter.platform.requests] == [3, 1]


async def test_a_list_that_does_not_say_which_was_bad_is_sent_one_by_one(adapter: Adapter) -> None:
    drugs = (await adapter.takes(("catalogue", b.drug_catalogue_changed())))[0]

    async def refuse_the_second_drug(request: fake.Request) -> web.Response:
        if any(record.get("hospDrcode") == "YP002" for record in request.records):
            return fake.inner(-1, "drugClass不在代码表中")
        return await fake.accept(request)

    adapter.platform.always = refuse_the_second_drug
    await adapter.drain()

    states = {row.business_number: row.state for row in await adapter.rows(drugs.event_id)}
    assert (states["YP001"], states["YP002"]) == ("accepted", "rejected")


async def test_t_plus_1_goes_out_at_half_past_one_in_shanghai_and_the_catalogue_at_once(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    happened = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    at_eight = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    db.clock.shift(at_eight - datetime.now(UTC))
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        booked = adapter.feed.envelope("visit:1", b.appointment_booked(b.a_visit()), happened)
        drugs = adapter.feed.envelope("catalogue", b.drug_catalogue_changed(), happened)
        await adapter.inbox.take([booked, drugs])
        await adapter.drain()
        evening = set(platform.methods)
        due = (await adapter.row(booked.event_id, "uploadAppointRecord")).due_at
        adapter.pass_time((due - at_eight).total_seconds() + 1)
        await adapter.drain()

    assert evening == {"uploadChainLink", "uploadDrugCatalogue"}
    assert due == datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
    assert "uploadAppointRecord" in platform.methods


async def test_a_day_that_is_caught_up_goes_out_now(
    db: Database, organisation: Organisation, platform: FakePlatform
) -> None:
    async with adapter_over(db, organisation, platform, timing=Timing.PROFILE) as adapter:
        long_ago = db.clock.now() - timedelta(days=3)
        await adapter.inbox.take(
            [adapter.feed.envelope("visit:1", b.appointment_booked(b.a_visit()), long_ago)]
        )
        await adapter.drain()

    assert "uploadAppointRecord" in platform.methods


async def test_whoever_dies_with_a_claim_leaves_it_marked_as_possibly_sent(adapter: Adapter) -> None:
    booked = (await adapter.takes(("visit:1", b.appointment_booked(b.a_visit()))))[0]
    await adapter.pump.mapper.map_batch()
    taken = await claimed(adapter, room=4)
    before = await adapter.row(booked.event_id, "uploadAppointRecord")
    nobody = await claimed(adapter, room=4)

    adapter.pass_time(LEASE.total_seconds() + 1)
    await adapter.drain()

    assert len(taken) == 1
    assert nobody == []
    assert before.state == "submitted"
    row = await adapter.row(booked.event_id, "uploadAppointRecord")
    assert (row.state, row.attempts, row.ambiguous) == ("accepted", 2, 1)


async def test_two_at_once_never_take_the_same_record(adapter: Adapter) -> None:
    taken = await taken_by_four_at_once(adapter)

    assert len(taken) == len(set(taken)) == 12


async def test_without_the_lock_of_the_claim_they_do(adapter: Adapter) -> None:
    with without_guard("claim_lock", allowed=True):
        taken = await taken_by_four_at_once(adapter)

    assert len(taken) > len(set(taken))


async def claimed(adapter: Adapter, *, room: int = 1, resends: int = 1) -> list[Batch]:
    async with unit_of_work(adapter.db) as session:
        return await claim(session, TIANJIN, (), room=room, ambiguous_resends=resends)


async def taken_by_four_at_once(adapter: Adapter) -> list[UUID]:
    """Rows that were out before, so that their state does not tell who has them."""
    await adapter.takes(*((f"visit:{at}", b.appointment_booked(b.a_visit())) for at in range(12)))
    while await adapter.pump.mapper.map_batch():
        pass
    assert len(await claimed(adapter, room=12)) == 12
    adapter.pass_time(LEASE.total_seconds() + 1)
    taken: list[UUID] = []
    for _ in range(12):
        found = await asyncio.gather(*(claimed(adapter, resends=9) for _ in range(4)))
        taken += [row.id for batches in found for batch in batches for row in batch.rows]
    return taken


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(adapter: Adapter) -> None:
    """Longer than a reader holds back: whoever takes what has come so far has half of it."""

    async def in_two(request: fake.Request) -> web.Response:
        text = fake.inner(200, "成" * 100_000, receipts=fake.receipts(request)).text
        assert text is not None
        assert request.incoming is not None
        response = web.StreamResponse()
        await response.prepare(request.incoming)
        await response.write(text[:150_000].encode())
        await response.write(text[150_000:].encode())
        await response.write_eof()
        return cast(web.Response, response)

    adapter.platform.script = [in_two]
    await adapter.takes(*((f"person:{at}", b.identity_verified()) for at in range(3)))
    await adapter.drain()

    assert (await figures(adapter.db)).missing == 0
    assert len(adapter.platform.requests) == 1


async def test_an_answer_without_an_end_is_given_up(adapter: Adapter) -> None:
    async def endless(_: fake.Request) -> web.Response:
        return fake.inner(200, "x" * (MAX_REPLY + 1))

    adapter.platform.script = [endless]
    verified = (await adapter.takes(("person:1", b.identity_verified())))[0]
    await adapter.drain()

    assert (await adapter.row(verified.event_id, "uploadRealName")).reply_code == "unreadable"


async def an_answer_after_the_lease(adapter: Adapter, reply: Reply) -> tuple[Answer, list[Batch]]:
    """One process sleeps over its lease, another has the record out, and the first wakes with `reply`. Returns the second's answer, and
    what a third may take."""
    await adapter.takes(("visit:1", b.appointment_booked(b.a_visit())))
    await adapter.pump.mapper.map_batch()
    [slow] = await claimed(adapter)
    adapter.pass_time(LEASE.total_seconds() + 1)
    [quick] = await claimed(adapter, resends=9)
    sender = adapter.pump.lines[0].sender
    async with unit_of_work(adapter.db) as session:
        await sender.settle(session, [Answer(slow, reply, MESSAGE)])
    adapter.pass_time(3)
    return Answer(quick, Reply(Meaning.ACCEPTED, "200"), MESSAGE), await claimed(adapter, resends=9)


MESSAGE = Message({}, b"", "AB" * 32)
LATE_ANSWERS = [
    Reply(Meaning.UNKNOWN, "no_answer"),
    Reply(Meaning.LATER, "-1"),
    Reply(Meaning.CLOSED, "http_503"),
    Reply(Meaning.REJECTED, "200/-1"),
]


@pytest.mark.parametrize("reply", LATE_ANSWERS, ids=str)
async def test_an_answer_that_comes_after_its_lease_leaves_the_record_to_whoever_has_it_now(
    adapter: Adapter, reply: Reply
) -> None:
    answer, taken = await an_answer_after_the_lease(adapter, reply)
    async with unit_of_work(adapter.db) as session:
        await adapter.pump.lines[0].sender.settle(session, [answer])

    assert taken == []
    assert (await figures(adapter.db)).missing == 1  # its chain link
    assert (await figures(adapter.db)).rejected == 0


async def test_without_the_fence_a_third_takes_it_too(adapter: Adapter) -> None:
    with without_guard("answer_fence", allowed=True):
        _, taken = await an_answer_after_the_lease(adapter, LATE_ANSWERS[0])

    assert len(taken) == 1


async def test_without_the_fence_a_late_refusal_outdoes_the_receipt(adapter: Adapter) -> None:
    with without_guard("answer_fence", allowed=True):
        answer, _ = await an_answer_after_the_lease(adapter, LATE_ANSWERS[3])
        async with unit_of_work(adapter.db) as session:
            await adapter.pump.lines[0].sender.settle(session, [answer])

    assert (await figures(adapter.db)).rejected == 1
