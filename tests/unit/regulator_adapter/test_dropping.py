"""Contents go once their day is closed; what is left still proves what was there."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from regulator_adapter import profiles
from regulator_adapter.days.model import Statement
from regulator_adapter.days.service import Days, reconcile
from regulator_adapter.days.states import DayState
from regulator_adapter.dropping import LAST_COUNTS, READ_LATER, drop_contents
from regulator_adapter.model import ReceivedEvent
from regulator_adapter.routing import routing
from regulator_adapter.verify import verify
from tests.builders import events as b
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter import mapped
from tests.unit.regulator_adapter.a_day import DAY, a_day
from tests.unit.regulator_adapter.feed import Adapter

pytestmark = pytest.mark.anyio


async def closes(adapter: Adapter, through: int) -> None:
    async with unit_of_work(adapter.db) as session:
        session.add(
            Statement(day=DAY, state=DayState.CLOSED, through=through, closed_at=adapter.db.clock.now())
        )


async def kept(adapter: Adapter) -> list[str]:
    async with unit_of_work(adapter.db) as session:
        query = (
            select(ReceivedEvent.type)
            .where(ReceivedEvent.payload.is_not(None))
            .order_by(ReceivedEvent.number)
        )
        return list(await session.scalars(query))


def rest(adapter: Adapter) -> None:
    """Streams have rested for long: their events lie in the past, and the clock of the tests shows that time."""
    adapter.db.clock.shift(b.MORNING - type(adapter.db.clock)().now() + timedelta(days=40))


async def test_nothing_goes_while_the_day_is_open(adapter: Adapter) -> None:
    await adapter.takes(("person:1", b.identity_verified()))
    await adapter.drain()

    assert await drop_contents(adapter.db) == 0


async def test_contents_of_a_closed_day_go_and_the_proof_still_holds(adapter: Adapter, days: Days) -> None:
    await a_day(adapter, 2)
    await reconcile(days, DAY)

    assert await drop_contents(adapter.db) == 2

    assert await kept(adapter) == []
    await adapter.pump._seal()
    proof = await verify(adapter.db, routing())
    assert (proof.holds, proof.head) == (True, adapter.feed.head.hex())
    async with unit_of_work(adapter.db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "event.content_dropped")
        (line,) = await session.scalars(query)
    assert line.detail == {"first": "1", "last": "2", "count": "2"}


async def test_what_came_after_the_closing_stays(adapter: Adapter) -> None:
    await adapter.takes(*((f"person:{at}", b.identity_verified()) for at in range(3)))
    await adapter.drain()
    await closes(adapter, through=2)

    assert await drop_contents(adapter.db) == 2
    assert await kept(adapter) == ["identity.verified"]


async def test_what_people_have_to_decide_on_keeps_its_content(adapter: Adapter) -> None:
    adapter.platform.script = [fake.answering(-1, "name不符")]
    await adapter.takes(("person:1", b.identity_verified()))
    await adapter.drain()
    await closes(adapter, through=1)

    assert await drop_contents(adapter.db) == 0


async def test_what_a_later_record_reads_stays_until_its_stream_has_rested(adapter: Adapter) -> None:
    visit = b.a_visit()
    await adapter.takes(("visit:1", b.appointment_booked(visit)), ("visit:1", b.record_viewed(visit)))
    await adapter.drain()
    await closes(adapter, through=2)
    adapter.db.clock.shift(b.MORNING - type(adapter.db.clock)().now() + timedelta(days=3))

    assert await drop_contents(adapter.db) == 1
    assert await kept(adapter) == ["appointment.booked"]

    rest(adapter)
    assert await drop_contents(adapter.db) == 1
    assert await kept(adapter) == []


async def test_how_a_doctor_was_last_filed_stays_for_ever(adapter: Adapter) -> None:
    await adapter.takes(*[("practitioner:1", b.practitioner_changed())] * 2)
    await adapter.drain()
    await closes(adapter, through=2)
    rest(adapter)

    assert await drop_contents(adapter.db) == 1
    assert await kept(adapter) == [LAST_COUNTS]


async def test_an_ending_after_its_day_was_closed_is_reported_as_if_nothing_had_gone(
    adapter: Adapter,
) -> None:
    visit, prescription = b.a_visit(), b.a_prescription()
    first = [
        ("catalogue", b.drug_catalogue_changed()), ("visit:1", b.appointment_booked(visit)),
        ("visit:1", b.encounter_started(visit)), ("visit:1", b.prescription_signed(visit, prescription)),
        ("visit:1", b.prescription_approved(visit, prescription)), ("visit:1", b.encounter_completed(visit)),
    ]  # fmt: skip
    await adapter.takes(*first)
    await adapter.drain()
    await closes(adapter, through=len(first))
    adapter.db.clock.shift(b.MORNING - type(adapter.db.clock)().now() + timedelta(days=3))
    assert await drop_contents(adapter.db) > 0
    adapter.pump.mapper.recent._events.clear()

    ended = (await adapter.takes(("visit:1", b.prescription_expired(visit, prescription))))[0]
    await adapter.drain()

    rows = await adapter.rows(ended.event_id)
    assert {row.state for row in rows} == {"accepted"}


def test_mappings_look_back_for_nothing_that_has_gone() -> None:
    """Every record of the samples, made once with all that came before and once with what is kept."""
    envelopes = b.Feed().envelopes(b.one_of_each())
    kept_types = {*READ_LATER}
    streams: dict[str, list[Any]] = {}
    for envelope in envelopes:
        whole = mapped.source(envelope, list(streams.setdefault(envelope.stream, [])))
        little = mapped.source(envelope, [one for one in whole.earlier if one.TYPE in kept_types])
        for name in profiles.NAMES:
            for stop in routing().stops(envelope.type, whole.event):
                if stop.profile == name:
                    with_all, with_little = mapped.record(stop, whole), mapped.record(stop, little)
                    assert msgspec.json.encode(with_all[0]) == msgspec.json.encode(with_little[0]), stop
        streams[envelope.stream].append(whole.event)
