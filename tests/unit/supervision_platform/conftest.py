import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulators.server import Clock, Listener, Reader, in_background
from simulators.supervision.__main__ import listeners
from simulators.supervision.faults import PlatformFaults
from simulators.supervision.settings import Settings, read
from simulators.supervision.store import Database
from simulators.supervision.store.console_schema import TRIGGERS
from tests.unit.supervision_platform import certificates, sender
from tests.unit.supervision_platform.sender import Platform

HOSPITAL = {"id": "h", "code": "310114001", "name": "示范医院", "unified_social_credit_code": sender.ORGAN}
DEMO = {
    "supervisor": {"name": "监管员", "login": "supervisor", "password": "correct-horse"},
    "second_supervisor": {"name": "监管员乙", "login": "supervisor2", "password": "battery-staple"},
}


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> certificates.Files:
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def environment(tmp_path: Path, tls: certificates.Files) -> dict[str, str]:
    return environment_in(tmp_path, tls)


def environment_in(tmp_path: Path, tls: certificates.Files) -> dict[str, str]:
    world = tmp_path / "world"
    world.mkdir()
    (world / "hospital.json").write_text(json.dumps(HOSPITAL), encoding="utf-8")
    (world / "demo.json").write_text(json.dumps(DEMO), encoding="utf-8")
    return {
        "ENV": "test",
        "PORT": "0",
        "HEALTH_PORT": "0",
        "SUPERVISION_TLS_CERT": str(tls.server),
        "SUPERVISION_TLS_KEY": str(tls.server_key),
        "SUPERVISION_TLS_CA": str(tls.authority),
        "SUPERVISION_SEAL_CERT": str(tls.server),
        "SUPERVISION_SEAL_KEY": str(tls.server_key),
        "SUPERVISION_HOSPITAL_SEAL_ROOT": str(tls.authority),
        "SUPERVISION_HOSPITAL_SEAL_NAME": "urn:test:gateway",
        "SUPERVISION_DATA": str(tmp_path / "data"),
        "SUPERVISION_WORLD": str(world),
        "SUPERVISION_UNIT_ID": sender.UNIT,
        "SUPERVISION_APP_KEY": sender.KEY,
        "SUPERVISION_APP_SECRET": sender.SECRET,
        "SUPERVISION_IV": sender.IV,
        "SUPERVISION_BOARD_SECONDS": "0",  # a test asks again at once
    }


@dataclass(frozen=True)
class Running:
    """A platform that several tests of a module share, each finding it empty."""

    platform: Platform
    database: Database
    clock: Clock
    faults: PlatformFaults

    def emptied(self) -> Platform:
        tables = self.database.writer.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        ).fetchall()
        with self.database.transaction() as connection:
            for trigger in TRIGGERS:  # the trail lets nobody take a line away
                connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            for table in tables:
                connection.execute(f"DELETE FROM {table['name']}")
        self.database.make_tables()
        self.clock.set_offset(0)
        self.faults.clear()
        return self.platform


def start(settings: Settings, *, plain: bool = True) -> Iterator[Running]:
    """Both listeners; the receiver without TLS unless it is what is tried."""
    database, clock, faults = Database(settings.data), Clock(), PlatformFaults()
    receiver, console = listeners(settings, clock, faults, database)
    first = Listener(receiver.app, receiver.host, 0) if plain else receiver
    with in_background([first, console]) as (base, pages):
        platform = Platform(base, pages)
        yield Running(platform, database, clock, faults)
        platform.client.close()
    database.close()


def platform_in(folder: Path, tls: certificates.Files) -> Iterator[Running]:
    """One that checks everything, with a folder of its own."""
    yield from start(read(Reader(environment_in(folder, tls))))


def running(settings: Settings, *, plain: bool = True) -> Iterator[Platform]:
    for one in start(settings, plain=plain):
        yield one.platform


@pytest.fixture(scope="module")
def lenient_platform(tmp_path_factory: pytest.TempPathFactory, tls: certificates.Files) -> Iterator[Running]:
    environment = environment_in(tmp_path_factory.mktemp("lenient"), tls)
    yield from start(read(Reader(environment | {"SUPERVISION_DEPENDENCIES": "off"})))


@pytest.fixture(scope="module")
def strict_platform(tmp_path_factory: pytest.TempPathFactory, tls: certificates.Files) -> Iterator[Running]:
    yield from start(read(Reader(environment_in(tmp_path_factory.mktemp("strict"), tls))))


@pytest.fixture
def platform(lenient_platform: Running) -> Platform:
    """Tianjin's path, dependencies off: each test sends what it is about."""
    return lenient_platform.emptied()


@pytest.fixture
def strict(strict_platform: Running) -> Platform:
    return strict_platform.emptied()


@pytest.fixture
def shanghai(strict: Platform) -> Platform:
    return dataclasses.replace(strict, path="/shanghai/api")
