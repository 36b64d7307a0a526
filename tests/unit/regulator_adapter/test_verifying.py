"""What was done in the database shows, also where what is left is a whole chain with a receipt at every record."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import func, select

from foundation.db.unit_of_work import unit_of_work
from regulator_adapter.days import opening
from regulator_adapter.days.service import Days, hear, reconcile
from regulator_adapter.dropping import drop_contents
from regulator_adapter.model import Submission
from regulator_adapter.routing import routing
from regulator_adapter.verify import Proof, verify
from tests.builders import events as b
from tests.unit.regulator_adapter.a_day import DAY, a_day, kinds, total
from tests.unit.regulator_adapter.feed import Adapter

pytestmark = pytest.mark.anyio

Does = Callable[[str], Awaitable[None]]
TAIL = "DELETE FROM submission WHERE number = 3; DELETE FROM received_event WHERE number = 3"
NOBODY_COUNTED = "UPDATE received_event SET records = 1; DELETE FROM submission WHERE profile = 'tianjin-1.0'"


@pytest.fixture
def somebody(database_url: str) -> Does:
    """Who may write there."""

    async def does(statement: str) -> None:
        connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        await connection.execute(statement)
        await connection.close()

    return does


async def proof_of(adapter: Adapter) -> Proof:
    await adapter.pump._seal()
    return await verify(adapter.db, routing())


async def wrong(adapter: Adapter) -> set[str]:
    """Which findings there are."""
    proof = await proof_of(adapter)
    lists = (
        "gaps",
        "broken_links",
        "altered_events",
        "dropped_open",
        "not_routed",
        "days",
        "without_receipt",
    )
    assert proof.holds is (not any(getattr(proof, name) for name in lists) and proof.audit_break is None)
    return {name for name in lists if getattr(proof, name)}


async def test_a_closed_day_and_an_open_one_hold(adapter: Adapter, days: Days) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)
    await drop_contents(adapter.db)
    await adapter.takes(("person:late", b.identity_verified()))
    await adapter.drain()

    assert await wrong(adapter) == set()


async def test_a_tail_that_is_gone_is_missed_by_what_the_outbox_said(
    adapter: Adapter, days: Days, somebody: Does
) -> None:
    await a_day(adapter)

    await somebody(TAIL)

    assert (await proof_of(adapter)).gaps == [3]
    assert await wrong(adapter) == {"gaps"}


async def test_a_tail_that_is_gone_is_missed_by_the_day_that_was_closed(
    adapter: Adapter, days: Days, somebody: Does
) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)

    await somebody(f"{TAIL}; UPDATE statement SET sent = replace(sent, '3', '2'), through = 2")

    assert await wrong(adapter) == {"days", "not_routed"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE statement SET through = 2",
        "UPDATE statement SET sent = replace(sent, 'events\":3', 'events\":4')",
        "UPDATE statement SET ours = replace(ours, 'chainHash\":\"', 'chainHash\":\"00')",
        "UPDATE statement SET ours = ''",
        "DELETE FROM frozen_records",
        "UPDATE received_event SET occurred_at = occurred_at + interval '3 days' WHERE number = 2",
    ],
)
async def test_a_closed_day_that_is_not_the_one_that_is_here_shows(
    adapter: Adapter, days: Days, somebody: Does, statement: str
) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)

    await somebody(statement)

    assert "days" in await wrong(adapter)


async def two_stops(adapter: Adapter) -> None:
    """An event that goes to two platforms."""
    visit = b.a_visit()
    await adapter.takes((f"visit:{visit.appointment_id}", b.appointment_booked(visit)))
    await adapter.drain()
    async with unit_of_work(adapter.db) as session:
        assert await session.scalar(select(func.count()).select_from(Submission)) == 2


@pytest.mark.parametrize(
    "statement", ["DELETE FROM submission WHERE profile = 'tianjin-1.0'", NOBODY_COUNTED]
)
async def test_the_second_record_of_an_event_is_missed(
    adapter: Adapter, somebody: Does, statement: str
) -> None:
    await two_stops(adapter)
    assert await wrong(adapter) == set()

    await somebody(statement)

    assert await wrong(adapter) == {"not_routed"}


@pytest.mark.usefixtures("days")
async def test_a_day_of_which_a_record_is_gone_does_not_close(
    adapter: Adapter, days: Days, somebody: Does
) -> None:
    await two_stops(adapter)
    await opening.open_days(adapter.db)
    await hear(adapter.db, DAY, total(adapter, 1))

    await somebody("DELETE FROM submission WHERE profile = 'tianjin-1.0'")
    row = await reconcile(days, DAY)

    assert kinds(row) == ["records_gone"]
    assert row.differences[0]["numbers"] == [[1, 1]]


async def test_a_record_that_goes_after_its_day_was_closed_is_missed_by_what_was_kept(
    adapter: Adapter, days: Days, somebody: Does
) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)
    await drop_contents(adapter.db)

    await somebody("UPDATE received_event SET records = NULL; DELETE FROM submission WHERE number = 2")

    proof = await proof_of(adapter)
    assert "2 shanghai uploadRealName" in proof.not_routed


async def test_a_content_that_goes_before_its_day_is_closed_is_named(
    adapter: Adapter, days: Days, somebody: Does
) -> None:
    await a_day(adapter)

    await somebody("UPDATE received_event SET payload = NULL WHERE number = 2")

    assert (await proof_of(adapter)).dropped_open == [2]


@pytest.mark.parametrize("condition", ["> 2", "> 0"])
async def test_a_tail_of_the_audit_trail_that_is_gone_is_missed(
    adapter: Adapter, somebody: Does, condition: str
) -> None:
    await two_stops(adapter)
    await adapter.pump._seal()

    await somebody(f"DELETE FROM audit_event WHERE sealed_number {condition}")

    proof = await verify(adapter.db, routing())
    assert proof.audit_break == int(condition[2:]) + 1
