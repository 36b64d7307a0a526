"""A day of the feed for tests of its closing: what happened, what the outbox says of it, and what its file proves."""

from datetime import date
from uuid import uuid4

import msgspec

from contracts.days import Sent
from foundation.clock import local
from regulator_adapter.days import opening
from regulator_adapter.days.bundle import bundle_of
from regulator_adapter.days.model import Statement
from regulator_adapter.days.proving import Finding, prove
from regulator_adapter.days.service import hear
from tests.builders import events as b
from tests.builders import seals
from tests.unit.regulator_adapter import fake_platform as fake
from tests.unit.regulator_adapter.feed import Adapter

DAY = local(b.MORNING).date()


def total(adapter: Adapter, events: int) -> Sent:
    return Sent(events, adapter.feed.number, adapter.feed.head.hex(), 0)


async def a_day(adapter: Adapter, people: int = 3) -> None:
    """People proved who they are; the platform has it and the outbox has said so."""
    await adapter.takes(*((f"person:{uuid4()}", b.identity_verified()) for _ in range(people)))
    await adapter.drain()
    await opening.open_days(adapter.db)
    await hear(adapter.db, DAY, total(adapter, people))


def kinds(row: Statement) -> list[str]:
    return [one["kind"] for one in row.differences]


async def a_day_with_one_refused(adapter: Adapter, people: int = 2) -> None:
    """The platform sent the first record back."""
    adapter.platform.script = [fake.answering(-1, "name不符")]
    await a_day(adapter, 1)
    if people > 1:
        await a_day(adapter, people - 1)
        await hear(adapter.db, DAY, total(adapter, people))


async def proved(adapter: Adapter, day: date, supplement: int | None = None) -> Finding:
    """What the file of a closed day says to whoever knows both roots."""
    file = msgspec.json.encode(await bundle_of(adapter.db, day, supplement))
    hospital, platform = (
        seals.trust("hospital", seals.HOSPITAL),
        seals.trust("platform", seals.PLATFORM),
    )
    return prove(file, hospital, platform)
