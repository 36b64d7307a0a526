from collections.abc import AsyncIterator, Iterator
from datetime import datetime

import asyncpg
import pytest

from foundation.clock import Clock
from foundation.crypto import Keyring
from foundation.db.base import bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import Database, connect
from regulator_adapter import profiles
from regulator_adapter.days.service import Days
from regulator_adapter.migrate import migrate
from regulator_adapter.organisation import Organisation
from standalone.stores import StoreOptions
from tests.builders import seals
from tests.builders.events import HOSPITAL_ID
from tests.contract.started import free_port
from tests.temporary import stores_in_memory
from tests.unit.regulator_adapter.fake_platform import FakePlatform, fake_platform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over
from tests.unit.regulator_adapter.stating_platform import stating


class StillClock(Clock):
    """Moves when a test says so: on a busy machine a second's wait is over before it was looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._began = super().now()

    def now(self) -> datetime:
        """The same moment, until it is shifted."""
        return self._began + self._offset


NOT_STARTED = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="session")
def postgres() -> Iterator[tuple[str, str]]:
    """(administrator's address, address of a migrated database that serves as template)."""
    options = StoreOptions(postgres_port=free_port(), valkey_port=free_port(), redis_url=NOT_STARTED)
    with stores_in_memory(options) as urls:
        assert urls.admin is not None
        migrate(urls.regulator)
        yield urls.admin, urls.regulator


@pytest.fixture
async def database_url(postgres: tuple[str, str], anyio_backend: str) -> AsyncIterator[str]:
    """A database of this test's own."""
    admin, template = postgres
    source = template.rsplit("/", 1)[1]
    connection = await asyncpg.connect(admin.replace("+asyncpg", ""))
    try:
        await connection.execute(f"CREATE DATABASE adapter_test TEMPLATE {source} OWNER {source}")
        yield template.rsplit("/", 1)[0] + "/adapter_test"
    finally:
        await connection.execute("DROP DATABASE IF EXISTS adapter_test WITH (FORCE)")
        await connection.close()


@pytest.fixture(autouse=True)
def bound() -> None:
    bind_keyring(Keyring({"t1": b"k" * 32}, "t1", b"i" * 32))
    bind_hospital(HOSPITAL_ID)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = connect(database_url, StillClock(), pool=8, application="test")
    yield database
    await database.engine.dispose()


@pytest.fixture
def organisation() -> Organisation:
    return Organisation("12310114425001234X", "UNIT0001", "上海市嘉定区示范医院")


@pytest.fixture
async def platform() -> AsyncIterator[FakePlatform]:
    async with fake_platform() as running_platform:
        yield running_platform


@pytest.fixture
async def adapter(db: Database, organisation: Organisation, platform: FakePlatform) -> AsyncIterator[Adapter]:
    async with adapter_over(db, organisation, platform) as made:
        yield made


@pytest.fixture
def days(adapter: Adapter, organisation: Organisation) -> Days:
    """Over a platform that states every day as the hospital does; the clock shows three days after the events."""
    clock = adapter.db.clock
    clock.shift(seals.NOW - Clock().now())
    adapter.platform.always = stating()
    client = adapter.pump.lines[0].sender.client
    trust = seals.trust("platform", seals.PLATFORM)
    return Days(adapter.db, client, profiles.profile("shanghai"), organisation, seals.hospital(), trust)
