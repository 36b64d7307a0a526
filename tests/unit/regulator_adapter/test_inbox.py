import asyncio
from typing import Any

import msgspec
import pytest

from contracts import events
from foundation.errors import Invalid
from regulator_adapter.figures import figures
from regulator_adapter.routing import routing
from regulator_adapter.verify import verify
from tests.builders import events as b
from tests.unit.regulator_adapter.feed import Adapter

pytestmark = pytest.mark.anyio


async def refused(adapter: Adapter, *envelopes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        await adapter.inbox.take(envelopes)
    return [(issue.code, issue.message) for issue in error.value.issues]


async def test_an_event_is_stored_once(adapter: Adapter) -> None:
    envelopes = await adapter.takes(("visit:1", b.appointment_booked(b.a_visit())))

    again = await adapter.inbox.take([*envelopes, *envelopes])

    assert again == [envelopes[0].event_id] * 2
    assert (await figures(adapter.db)).received == 1
    assert len(await adapter.rows(envelopes[0].event_id)) == 2


async def test_the_same_delivery_twice_at_once_is_stored_once(adapter: Adapter) -> None:
    envelopes = adapter.feed.envelopes(b.one_of_each())

    await asyncio.gather(*(adapter.inbox.take(envelopes) for _ in range(3)))

    counted = await figures(adapter.db)
    assert (counted.received, counted.gaps) == (len(envelopes), 0)


async def test_a_changed_event_is_refused_by_name_and_nothing_of_the_delivery_is_stored(
    adapter: Adapter,
) -> None:
    good, bad = adapter.feed.envelopes([("a", b.identity_verified()), ("a", b.identity_verified())])
    payload = bad.payload | {"result": "mismatch"}

    issues = await refused(adapter, good, msgspec.structs.replace(bad, payload=payload))

    assert issues == [("digest_mismatch", f"事件 {bad.event_id} 的摘要与内容不符")]
    assert (await figures(adapter.db)).received == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sequence": 7}, "digest_mismatch"),
        ({"type": "record.viewed"}, "digest_mismatch"),
        ({"payload": {"price": 1.5}}, "digest_mismatch"),
        ({"digest": "zz"}, "digest_mismatch"),
        ({"head": "ab"}, "wrong_format"),
        ({"number": 0}, "out_of_range"),
        ({"stream": ""}, "wrong_length"),
        ({"stream": "a\0b"}, "wrong_length"),
        ({"hospital_id": b.PATIENT.person_id}, "wrong_hospital"),
    ],
)
async def test_every_part_of_an_envelope_is_checked(
    adapter: Adapter, change: dict[str, Any], code: str
) -> None:
    envelope = adapter.feed.envelope("person:1", b.identity_verified())

    issues = await refused(adapter, msgspec.structs.replace(envelope, **change))

    assert code in [found for found, _ in issues]


async def test_an_empty_delivery_is_refused(adapter: Adapter) -> None:
    assert [code for code, _ in await refused(adapter)] == ["wrong_length"]


async def test_a_number_that_is_taken_by_another_event_is_refused(adapter: Adapter) -> None:
    await adapter.takes(("person:1", b.identity_verified()))
    other = b.Feed().envelope("person:2", b.identity_verified())

    assert [code for code, _ in await refused(adapter, other)] == ["already_different"]


async def test_a_gap_is_counted_until_it_is_filled(adapter: Adapter) -> None:
    first, second, third = adapter.feed.envelopes([("person:1", b.identity_verified())] * 3)

    await adapter.inbox.take([first, third])
    open_gap = await figures(adapter.db)
    await adapter.inbox.take([second])
    filled = await figures(adapter.db)

    assert (open_gap.gaps, open_gap.chain_breaks) == (1, 0)
    assert (filled.gaps, filled.chain_breaks) == (0, 0)


async def test_an_event_that_does_not_follow_the_one_before_is_stored_and_shown(adapter: Adapter) -> None:
    await adapter.takes(("person:1", b.identity_verified()))
    stray = msgspec.structs.replace(adapter.feed.envelope("person:1", b.identity_verified()), head="00" * 32)

    await adapter.inbox.take([stray])

    assert (await figures(adapter.db)).chain_breaks == 1
    assert (await verify(adapter.db, routing())).broken_links == [2]


async def test_an_event_that_nobody_knows_is_kept_for_people(adapter: Adapter) -> None:
    class Strange(events.IdentityVerified, frozen=True):
        TYPE = "weather.changed"

    event = b.identity_verified()
    strange = Strange(**{name: getattr(event, name) for name in event.__struct_fields__})
    envelopes = await adapter.takes(("person:1", strange))
    await adapter.drain()

    row = (await adapter.rows(envelopes[0].event_id))[0]
    assert (row.state, row.method, row.problems) == ("parked", "unrouted", "event")


async def test_an_event_without_its_fields_is_kept_for_people(adapter: Adapter) -> None:
    class Bare(msgspec.Struct, frozen=True):
        TYPE = "appointment.booked"
        VERSION = 1

    envelopes = await adapter.takes(("visit:1", Bare()))
    await adapter.drain()

    assert [row.state for row in await adapter.rows(envelopes[0].event_id)] == ["parked"]
