"""What the bench and the drill of the feed run on: stores with normal durability, worker, adapter, gateways and platform as processes."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil

from foundation.clock import Clock
from foundation.db.base import bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import Database, connect
from regulator_adapter.migrate import migrate as migrate_adapter
from standalone.certificates import Certificates, ensure
from standalone.paths import data_folder
from standalone.stores import StoreOptions, StoreUrls
from tests.builders.events import HOSPITAL_ID
from tests.contract.hospitals import environment
from tests.contract.platforms import ACCESS, WORLD
from tests.contract.started import free_port, listens, wait_until
from tests.database import migrate
from tests.load.ground import KEYS, ROOT, settings
from tests.temporary import temporary_stores

ENDS = 10.0


@dataclass
class Process:
    """A process that can be ended, killed and started again with the same settings."""

    name: str
    command: list[str]
    port: int
    env: dict[str, str]
    folder: Path
    running: "subprocess.Popen[bytes] | None" = None
    spent: float = 0.0
    busy: bool = False

    def start(self) -> None:
        """And wait until it listens."""
        with (self.folder / f"{self.name}.log").open("ab") as output:
            self.running = subprocess.Popen(
                self.command, cwd=self.folder, env=self.env, stdout=output, stderr=subprocess.STDOUT
            )
        self.wait()

    def wait(self) -> None:
        """Until it listens."""
        process = self.running
        assert process is not None
        wait_until(lambda: listens(self.port) or process.poll() is not None, f"{self.name} listening", 60)
        if process.poll() is not None:
            log = (self.folder / f"{self.name}.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{self.name} ended: {log[-2000:]}")

    def cpu(self) -> float:
        """Seconds of CPU, with its children and those of its earlier lives."""
        if self.running is None or self.running.poll() is not None:
            return self.spent
        with contextlib.suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.running.pid)
            return self.spent + sum(sum(one.cpu_times()[:2]) for one in [own, *own.children()])
        return self.spent

    def kill(self) -> None:
        """As a power cut would."""
        if self.running is not None:
            self.spent = self.cpu()
            self.running.kill()
            self.running.wait(ENDS)
            self.running = None

    def end(self) -> None:
        """As an operator would."""
        if self.running is None:
            return
        self.running.terminate()
        try:
            self.running.wait(ENDS)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait(ENDS)
        self.running = None


@dataclass
class FeedGround:
    """Everything that runs. `outbox` is the backend's database, `records` the adapter's."""

    folder: Path
    urls: StoreUrls
    certificates: Certificates
    outbox: Database
    records: Database
    processes: dict[str, Process] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Process:
        return self.processes[name]

    def platform_port(self, name: str = "platform") -> int:
        """Where it takes records."""
        return self.processes[name].port

    def controls(self, name: str = "platform") -> httpx.Client:
        """The platform's test switches."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.processes[name].env['HEALTH_PORT']}", timeout=60
        )

    async def adapter_sql(self) -> Any:
        """A connection of one's own to the adapter's database."""
        return await asyncpg.connect(self.urls.regulator.replace("+asyncpg", ""))

    async def outbox_sql(self) -> Any:
        """And to the backend's."""
        return await asyncpg.connect(self.urls.database.replace("+asyncpg", ""))

    def postgres_cpu(self) -> float:
        """Seconds of CPU of the database server and its backends that live."""
        found = 0.0
        for one in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if one.info["name"] == "postgres" and _belongs(one, self.postgres_pid):
                    found += sum(one.cpu_times()[:2])
        return found

    @property
    def postgres_pid(self) -> int:
        """The server's own process."""
        for one in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if one.info["name"] == "postgres" and str(_port(self.urls)) in " ".join(one.cmdline()):
                    return one.pid
        return 0

    def platform(self, name: str, **more: str) -> Process:
        """A platform of that name with a store of its own; not started."""
        pair = self.certificates.platform["supervision"]
        data = self.folder / name
        data.mkdir()
        env = environment(
            PORT=str(free_port()), HEALTH_PORT=str(free_port()), SUPERVISION_WORLD=str(WORLD), SUPERVISION_DATA=str(data),
            SUPERVISION_TLS_CERT=str(pair.certificate), SUPERVISION_TLS_KEY=str(pair.key),
            SUPERVISION_TLS_CA=str(self.certificates.platform.root),
            SUPERVISION_TLS_CLIENTS=",".join(
                self.certificates.platform[one].identity for one in ("gateway-a", "gateway-b")
            ),
            LOG_LEVEL="WARNING", **{f"SUPERVISION_{key}": value for key, value in ACCESS.items()}, **more,
        )  # fmt: skip
        return self._add(name, [sys.executable, "-m", "simulators", "supervision"], env)

    def gateway(self, name: str, platform: str = "platform") -> Process:
        """A gateway before the platform; not started."""
        pair, towards = self.certificates.hospital[name], self.certificates.platform[name]
        audit = self.folder / f"audit-{name}"
        audit.mkdir()
        env = environment(
            GATEWAY_NAME=name[-1], PORT=str(free_port()), HEALTH_PORT=str(free_port()), AUDIT_FOLDER=str(audit),
            SERVER_CERT=str(pair.certificate), SERVER_KEY=str(pair.key), CLIENT_ROOT=str(self.certificates.hospital.root),
            HIS_URL=f"http://127.0.0.1:{free_port()}", CITY_URL=f"https://127.0.0.1:{self.platform_port(platform)}",
            CITY_CERT=str(towards.certificate), CITY_KEY=str(towards.key), CITY_ROOT=str(self.certificates.platform.root),
            LOG_LEVEL="WARNING",
        )  # fmt: skip
        return self._add(name, [sys.executable, "-m", "front_gateway"], env)

    def adapter(self, *gateways: str, **more: str) -> Process:
        """The adapter behind these gateways; not started."""
        pair = self.certificates.hospital["adapter"]
        env = environment(
            PORT=str(free_port()), HEALTH_PORT=str(free_port()), DATABASE_URL=self.urls.regulator, HOSPITAL_ID=str(HOSPITAL_ID),
            FIELD_KEYS=f"k1:{KEYS.keys['k1'].hex()}", FIELD_KEY_CURRENT="k1", INDEX_KEY=KEYS.index_key.hex(),
            SERVER_CERT=str(pair.certificate), SERVER_KEY=str(pair.key), CLIENT_ROOT=str(self.certificates.hospital.root),
            ALLOWED_CALLERS=self.certificates.hospital["backend-worker"].identity,
            GATEWAY_URLS=",".join(f"https://127.0.0.1:{self[one].port}" for one in gateways),
            TLS_CERT=str(pair.certificate), TLS_KEY=str(pair.key), TLS_ROOT=str(self.certificates.hospital.root),
            ORGANISATION=str(WORLD / "hospital.json"), TIMING="immediate", LOG_LEVEL="WARNING",
            **{f"PLATFORM_{key}": value for key, value in ACCESS.items()}, **more,
        )  # fmt: skip
        return self._add("adapter", [sys.executable, "-m", "regulator_adapter"], env)

    def worker(self, name: str = "worker", **more: str) -> Process:
        """The backend's worker, whose relay delivers; not started."""
        pair = self.certificates.hospital["backend-worker"]
        env = settings(self.urls, self.folder) | {
            "PORT": str(free_port()), "HOST": "127.0.0.1", "PYTHONPATH": str(ROOT),
            "ADAPTER_URL": f"https://127.0.0.1:{self['adapter'].port}",
            "TLS_CERT": str(pair.certificate), "TLS_KEY": str(pair.key), "TLS_ROOT": str(self.certificates.hospital.root),
            "LOG_LEVEL": "WARNING",
        } | more  # fmt: skip
        return self._add(name, [sys.executable, "-m", "backend", "worker"], env)

    def _add(self, name: str, command: list[str], env: dict[str, str]) -> Process:
        made = Process(name, command, int(env["PORT"]), env, self.folder)
        self.processes[name] = made
        return made


@contextmanager
def feed_ground() -> Iterator[FeedGround]:
    """Stores and both schemas in a folder that goes away; processes are added and started by the caller."""
    folder = Path(tempfile.mkdtemp(prefix="bench-feed-"))
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        options = StoreOptions(postgres_port=free_port(), valkey_port=free_port())
        urls = undo.enter_context(temporary_stores(folder, options))
        migrate(urls.database)
        migrate_adapter(urls.regulator)
        bind_keyring(KEYS)
        bind_hospital(HOSPITAL_ID)
        clock = Clock()
        made = FeedGround(
            folder, urls, ensure(data_folder(folder)),
            connect(urls.database, clock, application="bench"), connect(urls.regulator, clock, application="bench"),
        )  # fmt: skip
        undo.callback(_end_all, made)
        yield made


def _end_all(ground: FeedGround) -> None:
    for one in reversed(ground.processes.values()):
        one.end()


async def until(ready: Any, what: str, seconds: float, pause: float = 0.2) -> None:
    """Wait for an asynchronous condition."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not await ready():
        if loop.time() > end:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        await asyncio.sleep(pause)


def _port(urls: StoreUrls) -> int:
    from urllib.parse import urlsplit

    return urlsplit(urls.database).port or 0


def _belongs(process: psutil.Process, parent: int) -> bool:
    return process.pid == parent or process.ppid() == parent
