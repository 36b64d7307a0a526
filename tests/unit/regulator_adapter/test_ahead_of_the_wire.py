"""What is written down as going while the wire is busy: never more on the wire than allowed, and back in line when nothing gets through."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from aiohttp import web
from sqlalchemy import select

from foundation.db.unit_of_work import unit_of_work
from regulator_adapter.model import Submission
from regulator_adapter.submit import AHEAD
from tests.builders import events as b
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.feed import Adapter

pytestmark = pytest.mark.anyio
LIMIT = 4


class Wire:
    """A platform that answers nobody before `opened`."""

    def __init__(self) -> None:
        self.opened, self.knocked, self.on_it, self.most = asyncio.Event(), asyncio.Event(), 0, 0

    async def answer(self, request: fake.Request) -> web.Response:
        self.on_it += 1
        self.most = max(self.most, self.on_it)
        if self.on_it == LIMIT:
            self.knocked.set()
        await self.opened.wait()
        self.on_it -= 1
        return await fake.accept(request)


async def twenty_bookings(adapter: Adapter) -> None:
    await adapter.takes(*((f"visit:{at}", b.appointment_booked(b.a_visit())) for at in range(20)))
    while await adapter.pump.mapper.map_batch():
        pass


async def rows(adapter: Adapter) -> Sequence[Submission]:
    async with unit_of_work(adapter.db) as session:
        query = select(Submission).where(Submission.profile == "tianjin-1.0")
        return (await session.scalars(query)).all()


async def states(adapter: Adapter) -> dict[str, int]:
    return dict(Counter(row.state.value for row in await rows(adapter)))


async def test_more_is_written_down_than_is_on_the_wire(adapter: Adapter) -> None:
    wire = Wire()
    adapter.platform.always = wire.answer
    await twenty_bookings(adapter)
    line = adapter.pump.lines[0]

    await line.turn()
    await wire.knocked.wait()
    going = await states(adapter)
    wire.opened.set()
    await adapter.drain()

    assert going == {"mapped": 20 - AHEAD * LIMIT, "submitted": AHEAD * LIMIT}
    assert wire.most == LIMIT
    assert await states(adapter) == {"accepted": 20}


async def test_what_waits_goes_back_in_line_when_the_way_is_closed(adapter: Adapter) -> None:
    adapter.platform.always = fake.failing(403)
    await twenty_bookings(adapter)
    line = adapter.pump.lines[0]

    await line.turn()
    await line.finish()
    knocked, failures = len(adapter.platform.requests), line.gate.failures
    waiting = await states(adapter)
    adapter.platform.always = None
    adapter.pass_time(40)
    await adapter.drain()

    assert knocked == LIMIT
    assert failures == 1, "several that fail together are one failure"
    assert waiting == {"mapped": 20 - AHEAD * LIMIT, "submitted": AHEAD * LIMIT}
    assert {(row.state, row.attempts, row.ambiguous) for row in await rows(adapter)} == {("accepted", 1, 0)}


async def test_whoever_leaves_lets_come_back_what_is_out_and_sends_nothing_more(adapter: Adapter) -> None:
    wire = Wire()
    adapter.platform.always = wire.answer
    await twenty_bookings(adapter)
    line = adapter.pump.lines[0]

    await line.turn()
    await wire.knocked.wait()
    leaving = asyncio.create_task(line.leave())
    wire.opened.set()
    await leaving

    assert len(adapter.platform.requests) == LIMIT
    assert (await states(adapter))["accepted"] == LIMIT
    assert {row.ambiguous for row in await rows(adapter)} == {0}
