"""The adapter's parts over a real database and a fake platform, moved by hand."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from contracts.days import Sent
from contracts.envelope import Envelope
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter import profiles
from regulator_adapter.city_client import CityClient
from regulator_adapter.city_wire import Credentials
from regulator_adapter.days import opening
from regulator_adapter.days.model import Statement
from regulator_adapter.days.service import hear
from regulator_adapter.figures import SubmissionView, submissions
from regulator_adapter.gate import Gate
from regulator_adapter.inbox import Inbox
from regulator_adapter.mapper import Mapper
from regulator_adapter.organisation import Organisation
from regulator_adapter.pump import Line, Pump
from regulator_adapter.routing import routing
from regulator_adapter.settings import Timing
from regulator_adapter.submit import Sender
from tests.builders.events import Feed
from tests.unit.regulator_adapter.fake_platform import CREDENTIALS, FakePlatform


@dataclass
class Adapter:
    """What a test holds in its hands."""

    db: Database
    inbox: Inbox
    pump: Pump
    platform: FakePlatform
    feed: Feed = field(default_factory=Feed)

    async def takes(self, *events: tuple[str, Any]) -> list[Envelope]:
        """Deliver events as the relay does."""
        envelopes = self.feed.envelopes(list(events))
        await self.inbox.take(envelopes)
        return envelopes

    async def drain(self, most: int = 300) -> None:
        """Map and send until nothing moves any more."""
        for _ in range(most):
            before = len(self.platform.requests)
            mapped = await self.pump.mapper.map_batch()
            for line in self.pump.lines:
                line.look_at_needs = line.look_at_needs or mapped > 0
                await line.turn()
                await line.finish()
            if len(self.platform.requests) == before:
                return
        raise AssertionError("the feed does not come to rest")

    async def rows(self, event_id: UUID) -> list[SubmissionView]:
        return await submissions(self.db, event_id=event_id)

    async def hears(self, day: date, events: int, *, more: int = 0, unsealed: int = 0) -> None:
        """The backend tells what it sent of `day`: `more` numbers than arrived."""
        sent = Sent(events, self.feed.number + more, self.feed.head.hex(), unsealed)
        async with unit_of_work(self.db) as session:
            if await opening.latest(session, day) is None:
                session.add(Statement(day=day))
        await hear(self.db, day, sent)

    async def row(self, event_id: UUID, method: str) -> SubmissionView:
        return next(row for row in await self.rows(event_id) if row.method == method)

    def pass_time(self, seconds: float) -> None:
        """The adapter's clock, and its gates, run ahead."""
        self.db.clock.shift(self.db.clock._offset + timedelta(seconds=seconds))
        for line in self.pump.lines:
            line.gate._until = 0.0


@asynccontextmanager
async def adapter_over(
    db: Database,
    organisation: Organisation,
    platform: FakePlatform,
    *,
    timing: Timing = Timing.IMMEDIATE,
    resends: int = 1,
    gateways: list[str] | None = None,
    request_seconds: int = 5,
    reports_by: str = "city",
    credentials: Credentials = CREDENTIALS,
) -> AsyncIterator[Adapter]:
    table = routing(reports_by)
    client = CityClient(
        gateways or [platform.url],
        credentials,
        db.clock,
        ssl.create_default_context(),
        request_seconds=request_seconds,
    )
    async with client:
        sender = Sender(db, client, max_attempts=5, ambiguous_resends=resends)
        lines = [
            Line(db, profiles.profile(name), sender, 4, gate=Gate(lambda: 1.0)) for name in profiles.NAMES
        ]
        pump = Pump(db, Mapper(db, table, organisation), lines)
        yield Adapter(db, Inbox(db, table, timing, pump.mapper.recent), pump, platform)
