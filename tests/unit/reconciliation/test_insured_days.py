"""Days with cash that was taken for an insurance order in vain and given back: it is in WeChat Pay's books, and so in ours."""

from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest

from backend.context import Context
from backend.reconciliation import queries, service
from backend.reconciliation.model import DifferenceRow, ReconciliationDay
from backend.reconciliation.states import DayState
from backend.reconciliation.tasks import run
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import Insured, insured, runs_due
from tests.database import SharedClock, moves_on
from tests.town import Town

pytestmark = pytest.mark.anyio
FRIDAY = date(2026, 11, 20)


@pytest.fixture
async def she(running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient) -> Insured:
    """With an open bill of 50 yuan, of which insurance pays 43."""
    return await insured(running, api, wechat)


async def settles(she: Insured, clock: SharedClock, times: int = 4) -> None:
    for _ in range(times):
        await runs_due(she.context)
        moves_on(clock, seconds=70)


async def pays_in_vain(she: Insured, town: Town) -> None:
    """Seven yuan are gone, and the insurance has not paid."""
    town.wechat_faults(insurance_settle_fails=True)
    await she.types_password(await she.agrees())
    town.wechat_faults()
    await she.refresh()


async def day_of(context: Context, day: date) -> UUID:
    async with unit_of_work(context.db) as session:
        await service.ensure_days(session)
        row = await queries.by_day(session, day)
    assert row is not None
    return row.id


async def compares(context: Context, day_id: UUID) -> tuple[ReconciliationDay, list[DifferenceRow]]:
    await run(Work(context, day_id))
    async with unit_of_work(context.db) as session:
        return await queries.day_row(session, day_id), list(await queries.differences(session, day_id))


async def test_cash_taken_in_vain_and_returned_is_no_difference(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    today = await day_of(she.context, FRIDAY)
    await pays_in_vain(she, town)
    await settles(she, clock)
    moves_on(clock, days=1, hours=1)

    row, found = await compares(she.context, today)

    assert [(one.kind, one.money, one.mine, one.theirs) for one in found] == []
    assert row.state is DayState.CLOSED


async def test_nor_when_she_then_pays_everything_herself(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    """The bill has a payment of its own then, and the seven yuan are none of it."""
    today = await day_of(she.context, FRIDAY)
    await pays_in_vain(she, town)
    await settles(she, clock)
    assert (await she.post("/self-pay")).status_code == 200
    parameters = (await she.post("/prepay")).json()
    await she.wechat.post("/phone/o-patient/pay", json=parameters)
    assert (await she.refresh())["state"] == "confirmed"
    await settles(she, clock)
    moves_on(clock, days=1, hours=1)

    row, found = await compares(she.context, today)

    assert [(one.kind, one.money, one.mine, one.theirs) for one in found] == []
    assert row.state is DayState.CLOSED


async def test_cash_that_is_still_on_its_way_back_is_known_by_its_number(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    """WeChat Pay's bill has a refund on the day on which it was accepted."""
    today = await day_of(she.context, FRIDAY)
    await pays_in_vain(she, town)
    town.wechat_faults(refund_seconds=3 * 24 * 3600)
    await settles(she, clock)
    moves_on(clock, days=1, hours=1)

    row, found = await compares(she.context, today)

    assert [(one.kind, one.money, one.mine, one.theirs) for one in found] == []
    assert row.state is DayState.CLOSED


async def test_money_counts_on_the_day_it_moved_and_not_on_that_on_which_we_heard_of_it(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(insurance_settle_fails=True, paid_not_notified=True)
    await she.types_password(await she.agrees())
    town.wechat_faults()
    moved = clock.now()
    moves_on(clock, hours=20)
    await she.refresh()

    async with unit_of_work(she.context.db) as session:
        book = await queries.our_book(session, moved - timedelta(hours=1), moved + timedelta(hours=1))

    assert [one.cash for one in book] == [700]
