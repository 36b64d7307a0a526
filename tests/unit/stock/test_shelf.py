"""The hospital's shelf as doctors see it beside a drug: what is out is marked, with the time of the reading, and forbids nothing."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from backend.context import Context
from backend.stock import service
from backend.stock.tasks import MIRROR
from backend.wiring import handlers, standing
from contracts import his
from foundation.db.base import hospital_id
from foundation.db.intents import Intent, intend, run_one
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import staff_session
from tests.builders.visits import on_shift
from tests.database import SharedClock, moves_on
from tests.policies import numbers
from tests.small_world import DOCTOR, PHARMACIST
from tests.town import Town

pytestmark = pytest.mark.anyio
OUT, THERE, UNCOUNTED = "YP001", "YP002", "YP003"


async def read(running: Context) -> None:
    async with unit_of_work(running.db) as session:
        await intend(session, MIRROR, hospital_id())
    async with unit_of_work(running.db) as session:
        query = select(Intent.id).where(Intent.kind == MIRROR, Intent.done_at.is_(None))
        intent_id = (await session.scalars(query)).one()
    assert await run_one(running.db, running, handlers(), intent_id)


async def seen(running: Context, api: httpx.AsyncClient, *codes: str) -> dict[str, Any]:
    async with unit_of_work(running.db) as session:
        await on_shift(session, running, DOCTOR)
    answer = await api.get(
        "/drugs/availability", params={"codes": ",".join(codes)}, headers=await staff_session(running, DOCTOR)
    )
    assert answer.status_code == 200, answer.text
    return {one["drug_code"]: one for one in answer.json()}


@pytest.fixture
async def shelf(running: Context, town: Town, clock: SharedClock) -> None:
    counted = clock.now() - timedelta(days=3)
    town.gateway.answers["stock"] = his.StockReply(
        [his.DrugStock(OUT, 0, "盒", counted), his.DrugStock(THERE, 40, "盒", counted)]
    )
    await read(running)


async def test_what_the_hospital_has_none_of_is_marked_with_the_time_of_the_reading(
    running: Context, api: httpx.AsyncClient, shelf: None, clock: SharedClock
) -> None:
    found = await seen(running, api, OUT, THERE, UNCOUNTED)

    assert {code: one["out"] for code, one in found.items()} == {OUT: True, THERE: False, UNCOUNTED: False}
    assert found[UNCOUNTED]["hospital"] is None
    assert found[OUT]["hospital"]["quantity"] == 0
    assert found[OUT]["hospital"]["at"][:16] == (clock.now() - timedelta(days=3)).isoformat()[:16]
    assert found[OUT]["hospital"]["read_at"][:16] == clock.now().isoformat()[:16]


async def test_a_drug_that_the_hospital_does_not_count_any_more_is_not_told_of(
    running: Context, api: httpx.AsyncClient, shelf: None, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["stock"] = his.StockReply([his.DrugStock(OUT, 3, "盒", clock.now())])
    await read(running)

    found = await seen(running, api, OUT, THERE)

    assert (found[OUT]["out"], found[OUT]["hospital"]["quantity"]) == (False, 3)
    assert found[THERE]["hospital"] is None


async def test_what_was_read_yesterday_is_not_shown(
    running: Context, api: httpx.AsyncClient, shelf: None, clock: SharedClock
) -> None:
    moves_on(clock, hours=24)

    assert (await seen(running, api, OUT))[OUT] == {
        "drug_code": OUT, "free": None, "hospital": None, "out": False,
    }  # fmt: skip


async def test_our_own_empty_shelf_is_marked_too(running: Context, api: httpx.AsyncClient) -> None:
    async with unit_of_work(running.db) as session:
        await service.count_in(session, PHARMACIST.actor, OUT, 0, "盘点")

    found = await seen(running, api, OUT)

    assert (found[OUT]["free"], found[OUT]["out"]) == (0, True)


@pytest.mark.parametrize(("status", "code"), [(503, "hospital_unreachable"), (422, "hospital_refused")])
async def test_a_silent_hospital_leaves_the_last_count_and_is_asked_again(
    running: Context, api: httpx.AsyncClient, shelf: None, town: Town, status: int, code: str
) -> None:
    town.gateway.refuses(status, code)
    await read(running)

    assert (await seen(running, api, OUT))[OUT]["out"]
    async with unit_of_work(running.db) as session:
        query = select(Intent.id).where(Intent.kind == MIRROR, Intent.done_at.is_(None))
        assert len(list(await session.scalars(query))) == 1


async def test_a_hospital_that_does_not_want_it_is_not_asked(running: Context, town: Town) -> None:
    with numbers(his_stock_minutes=0):
        await read(running)

    assert [name for name, _ in town.gateway.received if name == "stock"] == []
    assert MIRROR in standing()
