"""PostgreSQL and Valkey for tests: one embedded pair per xdist worker, databases made by the real migrations.

What the fixtures of `tests.fixtures` are made of.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import asyncpg
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from foundation.clock import Clock
from foundation.crypto import Keyring
from foundation.db.base import bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import Database, connect, unit_of_work
from standalone.stores import StoreOptions
from tests.builders.events import HOSPITAL_ID
from tests.contract.started import free_port
from tests.temporary import stores_in_memory

MORNING = datetime(2026, 11, 20, 1, 10, tzinfo=UTC)
"""Ten past nine on a Friday in Shanghai."""

KEYRING = Keyring({"k1": b"1" * 32}, "k1", b"i" * 32)
QUICK = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "deadlock_timeout = '100ms'",
    "file_copy_method = clone",
)
EMPTY, FURNISHED, ROLLED_BACK = "hospital", "furnished", "rolled_back"


@dataclass(frozen=True)
class Cluster:
    """Addresses: `admin` for asyncpg as superuser, `owner` of the database of tables only, `redis`."""

    admin: str
    owner: str
    redis: str

    def url(self, database: str) -> str:
        """The same for SQLAlchemy, as the owner, for another database."""
        return f"{self.owner.rsplit('/', 1)[0]}/{database}"


@contextmanager
def started() -> Iterator[Cluster]:
    """Both stores in memory, with a migrated database to clone."""
    with stores_in_memory(StoreOptions(postgres_port=free_port(), valkey_port=free_port())) as urls:
        assert urls.admin is not None
        made = Cluster(urls.admin.replace("+asyncpg", ""), urls.database, urls.redis)
        asyncio.run(_make_quick(made))
        migrate(made.url(EMPTY))
        yield made


def migrate(url: str) -> None:
    """Every migration of the backend, as `python -m backend migrate` runs them."""
    from alembic import command
    from alembic.config import Config

    from backend.commands import MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    command.upgrade(config, "head")


async def _make_quick(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.admin)
    for setting in QUICK:
        await connection.execute(f"ALTER SYSTEM SET {setting}")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


async def furnish(cluster: Cluster, world: Path) -> None:
    """Another one with a hospital in it, and one like it that only sees transactions rolled back."""
    from backend.seeding import seed_world

    bind()
    await clone(cluster, EMPTY, FURNISHED)
    database = connect(cluster.url(FURNISHED), clock_at(MORNING), pool=1)
    async with unit_of_work(database) as session:
        await seed_world(session, world)
    await database.engine.dispose()
    await clone(cluster, FURNISHED, ROLLED_BACK)


async def clone(cluster: Cluster, template: str, name: str) -> None:
    """A database like `template`, where nobody may be connected."""
    connection = await asyncpg.connect(cluster.admin)
    try:
        await connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} OWNER hospital STRATEGY FILE_COPY"
        )
    finally:
        await connection.close()


@asynccontextmanager
async def cloned(cluster: Cluster, template: str, clock: Clock) -> AsyncIterator[Database]:
    """A database of one's own for the block. Its name and engine are those of the test before: statements stay compiled."""
    name = f"{template}_of_a_test"
    await clone(cluster, template, name)
    engine = _engine(cluster.url(name))
    try:
        yield Database(engine, clock)
    finally:
        await engine.dispose()
        connection = await asyncpg.connect(cluster.admin)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


@cache
def _engine(url: str) -> AsyncEngine:
    return connect(url, Clock(), pool=12, application="test").engine


@cache
def _poolless(url: str) -> AsyncEngine:
    return create_async_engine(url, poolclass=NullPool)


def bind() -> None:
    """Keys and hospital of this process, as every process binds them at start."""
    bind_keyring(KEYRING)
    bind_hospital(HOSPITAL_ID)


class SharedClock(Clock):
    """A clock whose moves others follow: the doubles' clocks in a test."""

    def __init__(self) -> None:
        super().__init__()
        self.followers: list[Callable[[timedelta], None]] = []

    def shift(self, offset: timedelta) -> None:
        """Move this clock and all that follow it."""
        super().shift(offset)
        for follow in self.followers:
            follow(offset)

    def tell(self) -> None:
        """Say again where this clock stands."""
        self.shift(self._offset)

    def followed_by(self, follow: Callable[[timedelta], None]) -> None:
        """From now on."""
        self.followers.append(follow)
        follow(self._offset)


def clock_at(moment: datetime) -> SharedClock:
    """A clock that shows `moment` now and goes on."""
    clock = SharedClock()
    set_clock(clock, moment)
    return clock


def set_clock(clock: Clock, moment: datetime) -> None:
    """Move a clock to `moment`."""
    clock.shift(moment - Clock().now())


def moves_on(clock: Clock, **time: float) -> None:
    """Move a clock forward: `moves_on(clock, minutes=31)`."""
    set_clock(clock, clock.now() + timedelta(**time))


@asynccontextmanager
async def rolled_back(cluster: Cluster, clock: Clock) -> AsyncIterator[AsyncSession]:
    """A transaction over the furnished hospital, undone at the end; it knows the clock as in a unit of work."""
    async with AsyncSession(_poolless(cluster.url(ROLLED_BACK)), expire_on_commit=False) as opened:
        opened.info.update(clock=clock, due=[], touched=set())
        yield opened
        await opened.rollback()
