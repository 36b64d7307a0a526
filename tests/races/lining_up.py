"""Two at once, on purpose: a third transaction holds what both need until both wait for it, then lets go."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from sqlalchemy import text

from foundation.db.unit_of_work import Database, unit_of_work
from tests.builders.visits import Patient, a_patient
from tests.small_world import Resident

DEADLINE = 30.0
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
STREAM = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"


async def wait_for(db: Database, count: int) -> None:
    """Until so many connections wait for a lock."""
    async with asyncio.timeout(DEADLINE):
        while True:
            async with db.engine.connect() as connection:
                if (await connection.scalar(WAITING) or 0) >= count:
                    return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def holding(db: Database, *statements: str, **values: Any) -> AsyncIterator[None]:
    """What `statements` lock is locked for the block."""
    async with db.engine.connect() as connection, connection.begin():
        for statement in statements:
            await connection.execute(text(statement), values)
        yield


async def both(
    db: Database, *works: Awaitable[Any], lock: str, waiting: int | None = None, **values: Any
) -> list[Any]:
    """Results (or exceptions) of the works, started in their order while `lock` is held, let go when all wait for something."""
    async with holding(db, *lock.split(";"), **values):
        tasks = []
        for number, work in enumerate(works, start=1):
            tasks.append(asyncio.ensure_future(work))
            await wait_for(db, min(number, waiting or number))
    return await asyncio.gather(*tasks, return_exceptions=True)


def kinds(results: list[Any]) -> list[str]:
    """What came out, without an order: class names of exceptions, values as they are."""
    return sorted(type(one).__name__ if isinstance(one, BaseException) else repr(one) for one in results)


async def people(db: Database, count: int) -> list[Patient]:
    """Registered and consenting, each with an account of her own."""
    names = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
    found = []
    async with unit_of_work(db) as session:
        for number in range(count):
            resident = Resident(
                f"{names[number]}某", date(1970, 1, 1 + number), 901, "19900000001", f"o-race-{number}"
            )
            found.append(await a_patient(session, resident))
    return found
