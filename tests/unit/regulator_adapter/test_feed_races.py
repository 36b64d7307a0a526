"""Two deliveries that follow each other, and two adapters over one database."""

import asyncio
from collections import Counter, defaultdict

import pytest
from sqlalchemy import select

from foundation.db.guards import without_guard
from foundation.db.unit_of_work import unit_of_work
from regulator_adapter.figures import figures
from regulator_adapter.model import ReceivedEvent
from tests.builders import events as b
from tests.races.lining_up import both
from tests.unit.regulator_adapter.feed import Adapter, adapter_over

pytestmark = pytest.mark.anyio

RECORDS = "LOCK TABLE submission IN EXCLUSIVE MODE"


async def links_of_two_deliveries(adapter: Adapter) -> list[bool | None]:
    """Both have stored their events and neither has committed."""
    envelopes = adapter.feed.envelopes([(f"person:{at}", b.identity_verified()) for at in range(6)])
    await both(adapter.db, adapter.inbox.take(envelopes[:3]), adapter.inbox.take(envelopes[3:]), lock=RECORDS)
    async with unit_of_work(adapter.db) as session:
        return list(await session.scalars(select(ReceivedEvent.linked).order_by(ReceivedEvent.number)))


async def test_deliveries_that_follow_each_other_are_linked_whoever_commits_first(adapter: Adapter) -> None:
    assert await links_of_two_deliveries(adapter) == [True] * 6


async def test_without_the_inboxs_lock_neither_sees_its_neighbour(adapter: Adapter) -> None:
    with without_guard("inbox_lock", allowed=True):
        links = await links_of_two_deliveries(adapter)

    assert links == [True, True, True, None, True, True]


async def test_two_pumps_send_every_record_once_and_each_stream_in_its_order(adapter: Adapter) -> None:
    """Their twin without the lock of the claim is in `test_submitting`."""
    async with adapter_over(adapter.db, adapter.pump.mapper.organisation, adapter.platform) as other:
        envelopes = adapter.feed.envelopes(b.one_of_each())
        await asyncio.gather(adapter.inbox.take(envelopes[::2]), other.inbox.take(envelopes[1::2]))
        adapter.pass_time(2)
        for _ in range(60):
            if (await figures(adapter.db)).missing == 0:
                break
            await asyncio.gather(*(one.pump.mapper.map_batch() for one in (adapter, other)))
            lines = [line for one in (adapter, other) for line in one.pump.lines]
            for line in lines:
                line.look_at_needs = True
            await asyncio.gather(*(line.turn() for line in lines))
            await asyncio.gather(*(line.finish() for line in lines))

    assert (await figures(adapter.db)).missing == 0
    sent = [
        (request.method, record.get("eventId") or repr(sorted(record.items())))
        for request in adapter.platform.requests
        for record in request.records
    ]
    assert set(Counter(sent).values()) == {1}
    order: dict[str, list[int]] = defaultdict(list)
    for request in adapter.platform.requests:
        for record in request.records:
            if "streamSeq" in record and request.method != "uploadChainLink":
                order[record["stream"]].append(record["streamSeq"])
    assert all(numbers == sorted(numbers) for numbers in order.values())
