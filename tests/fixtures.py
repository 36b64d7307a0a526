"""What tests ask for by name. Modules are imported when a fixture is first used: a test that needs none starts at once.

- `clock` shows ten past nine on a Friday in Shanghai; `tests.database.moves_on` moves it, and the counterparts with it.
- `session` is a transaction over a furnished hospital (`tests.small_world`), rolled back at the end.
- `db` is a database of the test's own with the same hospital, `empty_db` one with tables only: for whatever commits.
- `town` are the counterparts (`tests.town`); `wechat` is a client of the WeChat mock, which has forgotten everything.
- `context` goes with `session`; `running` goes with `db`; `api` speaks to the whole application over `db`.
"""

import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx
    from sqlalchemy.ext.asyncio import AsyncSession

    from backend.context import Context
    from backend.settings import Settings
    from foundation.db.unit_of_work import Database
    from standalone.certificates import Certificates
    from standalone.installation import Installation
    from tests.database import Cluster, SharedClock
    from tests.town import Town


@pytest.fixture
def anyio_backend() -> str:
    """Everything here runs on asyncio."""
    return "asyncio"


@pytest.fixture
def clock() -> "SharedClock":
    """Shows `MORNING`."""
    from tests.database import MORNING, clock_at

    return clock_at(MORNING)


@pytest.fixture
def bound() -> None:
    """Keys and hospital of this process, for tests that need columns and no database."""
    from tests.database import bind

    bind()


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small hospital's files."""
    from tests.small_world import write_world

    folder = tmp_path_factory.mktemp("world")
    write_world(folder)
    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator["Cluster"]:
    """PostgreSQL and Valkey, once per worker."""
    from tests.database import started

    with started() as made:
        yield made


@pytest.fixture(scope="session")
def furnished(cluster: "Cluster", small_world: Path) -> "Cluster":
    """The same with the small hospital in it."""
    import asyncio

    from tests.database import furnish

    asyncio.run(furnish(cluster, small_world))
    return cluster


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> "Installation":
    """What `make run` prepares before it starts anything: certificates, keys, people. Nothing runs."""
    from foundation.clock import Clock
    from standalone.installation import prepare
    from standalone.people.world import make_world
    from standalone.stores import StoreUrls

    folder, address = tmp_path_factory.mktemp("installation"), "postgresql+asyncpg://{0}@127.0.0.1/{0}".format
    make_world(folder / "world", "s", today=Clock().today())
    return prepare(folder, 8000, StoreUrls(address("hospital"), address("regulator"), "redis://127.0.0.1"))


@pytest.fixture
async def db(furnished: "Cluster", clock: "SharedClock", bound: None) -> "AsyncIterator[Database]":
    """A furnished database of this test's own: what it commits, nobody else sees."""
    from tests.database import FURNISHED, cloned

    async with cloned(furnished, FURNISHED, clock) as database:
        yield database


@pytest.fixture
async def empty_db(cluster: "Cluster", clock: "SharedClock", bound: None) -> "AsyncIterator[Database]":
    """The same with tables only."""
    from tests.database import EMPTY, cloned

    async with cloned(cluster, EMPTY, clock) as database:
        yield database


@pytest.fixture
async def session(furnished: "Cluster", clock: "SharedClock", bound: None) -> "AsyncIterator[AsyncSession]":
    """A transaction over the furnished hospital, rolled back at the end."""
    from tests.database import rolled_back

    async with rolled_back(furnished, clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def whole_town(tmp_path_factory: pytest.TempPathFactory, small_world: Path) -> Iterator["Town"]:
    """The counterparts, once per worker."""
    from tests.town import started

    with started(tmp_path_factory.mktemp("town"), small_world) as made:
        yield made


@pytest.fixture
def town(whole_town: "Town", clock: "SharedClock") -> "Town":
    """The counterparts, as new, on this test's clock."""
    whole_town.reset(clock)
    return whole_town


@pytest.fixture
async def wechat(town: "Town", clock: "SharedClock") -> "AsyncIterator[httpx.AsyncClient]":
    """A client of the WeChat mock, which has forgotten everything."""
    import httpx

    async with httpx.AsyncClient(base_url=town.wechat, trust_env=False, timeout=20) as client:
        assert (await client.post("/_test/forget")).status_code == 204
        clock.tell()
        yield client


@pytest.fixture(scope="session")
def backend_certificates(tmp_path_factory: pytest.TempPathFactory) -> "Certificates":
    """Ours towards the gateways; no test here goes over TLS."""
    from standalone.certificates import ensure
    from standalone.paths import DataFolder

    return ensure(DataFolder(tmp_path_factory.mktemp("backend_certificates")))


@pytest.fixture(scope="session")
def common_settings(
    whole_town: "Town", cluster: "Cluster", backend_certificates: "Certificates"
) -> "Settings":
    """The backend's, as its process reads them; keys are checked once, that takes a while."""
    from backend.settings import Settings
    from foundation.settings import load
    from tests.backend_context import environment

    return load(Settings, environment(whole_town, backend_certificates, cluster.redis, Path("objects")))


@pytest.fixture
def settings(town: "Town", common_settings: "Settings", tmp_path: Path) -> "Settings":
    """The same with a folder of the test's own."""
    return dataclasses.replace(common_settings, object_folder=tmp_path / "objects")


@pytest.fixture
async def context(
    furnished: "Cluster", settings: "Settings", clock: "SharedClock", bound: None
) -> "AsyncIterator[Context]":
    """For tests with a rolled-back `session`: its own database is only looked at."""
    from foundation.db.unit_of_work import connect
    from tests.backend_context import opened
    from tests.database import ROLLED_BACK

    database = connect(furnished.url(ROLLED_BACK), clock, pool=1)
    async with opened(settings, clock, database) as made:
        yield made
    await database.engine.dispose()


@pytest.fixture
async def running(db: "Database", settings: "Settings", clock: "SharedClock") -> "AsyncIterator[Context]":
    """For tests that commit."""
    from tests.backend_context import opened

    async with opened(settings, clock, db) as made:
        yield made


@pytest.fixture
async def api(running: "Context") -> "AsyncIterator[httpx.AsyncClient]":
    """A client of the whole application over a database of the test's own."""
    from tests.backend_context import client_of

    async with client_of(running) as client:
        yield client
