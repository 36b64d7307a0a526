"""Our prices and shelf beside the hospital's own: what differs is told at the desk, and is over when it is put right."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from backend.alarm.model import Alarm
from backend.context import Context
from backend.formulary import queries as formulary
from backend.stock import service
from backend.stock.rules import Level, Priced, fee_differences, price_differences, stock_differences, told
from backend.stock.tasks import COMPARE, PRICES, SERVICES, STOCK
from backend.wiring import handlers, standing
from contracts import his
from foundation.db.base import hospital_id
from foundation.db.intents import Intent, intend, run_one
from foundation.db.unit_of_work import unit_of_work
from tests.database import SharedClock
from tests.small_world import PHARMACIST
from tests.town import Town

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, tzinfo=UTC)


def test_a_price_that_differs_or_is_missing_is_one_sentence() -> None:
    ours = [Priced("A", "甲", 1860), Priced("B", "乙", 100), Priced("C", "丙", 5)]

    assert price_differences(ours, {"A": 1900, "B": 100}) == [
        "甲（A）本院线上 18.60 元，院内 19.00 元",
        "丙（C）院内价目没有",
    ]
    assert price_differences(ours[:2], {"A": 1860, "B": 100, "Z": 1}) == []


def test_only_what_may_be_ordered_here_and_is_not_there_is_told() -> None:
    levels = {"A": Level(3, 1), "B": Level(2, 2), "C": Level(5, 0), "D": Level(1, 0)}

    assert stock_differences(levels, {"A": 0, "B": 0, "C": 7}, {"A": "甲"}) == [
        "甲（A）线上可订 2 盒，院内药房为 0"
    ]


def test_many_differences_fit_one_line() -> None:
    assert told(["一", "二"]) == "一；二"
    assert told([str(number) for number in range(9)], most=2) == "0；1；等共 9 种"


def test_a_service_is_told_when_none_of_ours_asks_what_the_hospital_asks() -> None:
    fees = {
        "registration": [Priced("visit.follow_up", "复诊", 5000), Priced("visit.senior", "高级", 8000)],
        "other": [],
    }

    assert fee_differences(fees, {"registration": 8000, "other": 1}) == []
    assert fee_differences(fees, {}) == []
    assert fee_differences(fees, {"registration": 6000}) == [
        "院内价目 registration 为 60.00 元，线上：复诊 50.00 元、高级 80.00 元"
    ]


async def compared(context: Context) -> None:
    async with unit_of_work(context.db) as session:
        await intend(session, COMPARE, hospital_id())
    async with unit_of_work(context.db) as session:
        query = select(Intent.id).where(Intent.kind == COMPARE, Intent.done_at.is_(None))
        intent_id = (await session.scalars(query)).one()
    assert await run_one(context.db, context, handlers(), intent_id)


async def next_turn(context: Context) -> datetime:
    async with unit_of_work(context.db) as session:
        query = select(Intent.due_at).where(Intent.kind == COMPARE, Intent.done_at.is_(None))
        return (await session.scalars(query)).one()


async def open_alarms(context: Context) -> dict[str, str]:
    async with unit_of_work(context.db) as session:
        query = select(Alarm).where(Alarm.kind.in_((PRICES, STOCK, SERVICES)), Alarm.closed_at.is_(None))
        return {row.kind: row.detail for row in await session.scalars(query)}


async def agreed(context: Context, **changed: int) -> his.PricesReply:
    """The hospital's list: ours, but for what is changed."""
    async with unit_of_work(context.db) as session:
        drugs = await formulary.all_valid(session)
        return his.PricesReply(
            [his.ItemPrice(one.code, one.generic_name, changed.get(one.code, one.price)) for one in drugs]
        )


async def test_a_difference_is_an_alarm_until_it_is_put_right(
    running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["prices"] = await agreed(running, YP001=1)
    await compared(running)

    assert "YP001" in (await open_alarms(running))[PRICES]

    town.gateway.answers["prices"] = await agreed(running)
    async with unit_of_work(running.db) as session:
        again = (
            await session.scalars(select(Intent.id).where(Intent.kind == COMPARE, Intent.done_at.is_(None)))
        ).one()
        (await session.get_one(Intent, again)).due_at = clock.now()
    assert await run_one(running.db, running, handlers(), again)
    assert await open_alarms(running) == {}


async def test_a_service_whose_price_differs_is_an_alarm_of_the_price_desk(
    running: Context, town: Town
) -> None:
    reply = await agreed(running)
    town.gateway.answers["prices"] = his.PricesReply(
        [*reply.prices, his.ItemPrice("registration", "诊查费", 1)]
    )

    await compared(running)

    assert "院内价目 registration 为 0.01 元" in (await open_alarms(running))[SERVICES]


async def test_every_valid_drug_is_asked_for_once_in_parts(running: Context, town: Town) -> None:
    town.gateway.answers["prices"] = await agreed(running)

    await compared(running)

    *asked, services = [body["codes"] for operation, body in town.gateway.received if operation == "prices"]
    assert services == ["registration"]
    assert sorted(code for part in asked for code in part) == [
        one.code for one in town.gateway.answers["prices"].prices
    ]
    assert all(len(part) <= 200 for part in asked)
    assert [one for one, _ in town.gateway.received if one == "stock"] == []  # nothing is counted


async def test_what_is_sold_out_at_the_hospital_is_told(running: Context, town: Town) -> None:
    async with unit_of_work(running.db) as session:
        await service.count_in(session, PHARMACIST.actor, "YP001", 3, "入库")
    town.gateway.answers["prices"] = await agreed(running)
    town.gateway.answers["stock"] = his.StockReply([his.DrugStock("YP001", 0, "28片/盒", AT)])

    await compared(running)

    assert "线上可订 3 盒" in (await open_alarms(running))[STOCK]


@pytest.mark.parametrize(
    ("status", "code", "hours"), [(503, "hospital_unreachable", 1), (422, "hospital_refused", 24)]
)
async def test_a_hospital_without_an_answer_is_asked_again_and_rings_no_alarm(
    running: Context, town: Town, clock: SharedClock, status: int, code: str, hours: int
) -> None:
    town.gateway.refuses(status, code)

    await compared(running)

    assert await open_alarms(running) == {}
    assert round((await next_turn(running) - clock.now()).total_seconds() / 3600) == hours


def test_it_is_part_of_the_standing_work() -> None:
    assert COMPARE in standing()
