"""What a bench of the booking runs on: embedded stores with the settings of production, real API processes, one loader.

The counterparts are not there: nothing that is measured calls one.
"""

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from foundation.clock import Clock
from foundation.crypto import Keyring
from foundation.db.base import bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import Database, connect
from standalone.certificates import ensure
from standalone.children import inherited
from standalone.paths import data_folder
from standalone.stores import StoreOptions, StoreUrls
from standalone.wechat_keys import make_files
from tests.builders.events import HOSPITAL_ID
from tests.contract.started import free_port
from tests.contract.started import running as started
from tests.database import migrate
from tests.temporary import temporary_stores

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
NOWHERE = "http://127.0.0.1:9"
KEYS = Keyring({"k1": secrets.token_bytes(32)}, "k1", secrets.token_bytes(32))

Shot = tuple[str, str, str, str, Any]
"""Method, path, token, idempotency key, body."""


class Loader:
    """The process that fires."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.folder, self.ports = folder, ports
        self._orders = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.firing"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip

    def fire(self, shots: Iterable[Shot], *, connections: int, seconds: float = 3600, at: float = 0) -> Any:
        """What came back of these requests; they begin at the Unix time `at`."""
        self._orders += 1
        path = self.folder / f"shots-{self._orders}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(shot, default=str) + "\n" for shot in shots)
        order = {
            "host": HOST, "ports": self.ports, "connections": connections, "requests": str(path), "seconds": seconds, "at": at,
        }  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        path.unlink()
        if not answer:
            raise RuntimeError("the load generator died")
        return json.loads(answer)

    def end(self) -> None:
        """No more orders."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@dataclass
class Ground:
    """Everything that runs. `admin` is the superuser's address of the database."""

    urls: StoreUrls
    db: Database
    api: "subprocess.Popen[bytes]"
    loader: Loader
    folder: Path
    environ: dict[str, str]

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[bytes]"]:
        """The worker, for the length of a block: it closes draws, and it would seal and relay all the rest as well."""
        port = free_port()
        command = [sys.executable, "-m", "backend", "worker"]
        environ = self.environ | {"PORT": str(port)}
        with started(command, port=port, folder=self.folder, env=environ, name="worker") as process:
            yield process

    @property
    def admin(self) -> str:
        """For libpq."""
        assert self.urls.admin is not None
        return self.urls.admin.replace("+asyncpg", "").rsplit("/", 1)[0] + "/hospital"

    def memory_mb(self) -> float:
        """Proportional memory of the API processes: what they share counts once."""
        return round(sum(one.memory_full_info().pss for one in self._processes()) / 2**20, 1)

    def cpu_s(self) -> float:
        """CPU seconds that the API processes have used."""
        return sum(sum(one.cpu_times()[:2]) for one in self._processes())

    def _processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self.api.pid)
        return [parent, *parent.children()]


def settings(urls: StoreUrls, folder: Path) -> dict[str, str]:
    """Every setting of an API process; where it would call others nobody listens."""
    root = data_folder(folder)
    pair = ensure(root).hospital["backend-api"]
    wechat = make_files(folder / "wechat", "1900000001", Clock().now())
    nowhere = dict.fromkeys(
        ("FRONT_URL", "API_URL", "NOTIFY_URL", "GATEWAY_URLS", "ADAPTER_URL", "WECHAT_API_URL", "WECHAT_PAY_URL",
         "IDENTITY_URL", "CA_URL", "COURIER_URL", "MEDIA_URLS"), NOWHERE,
    )  # fmt: skip
    words = dict.fromkeys(
        ("WECHAT_APPID", "WECHAT_SECRET", "IDENTITY_APP_KEY", "IDENTITY_SECRET", "CA_APP_KEY", "CA_SECRET",
         "COURIER_APP_KEY", "COURIER_SECRET", "COURIER_CALLBACK_KEY", "COURIER_CALLBACK_SECRET"), "of-a-bench",
    )  # fmt: skip
    return inherited() | nowhere | words | {
        "ENV": "development", "LOG_LEVEL": "WARNING", "DATABASE_URL": urls.database, "REDIS_URL": urls.redis,
        "HOSPITAL_ID": str(HOSPITAL_ID), "OBJECT_FOLDER": str(folder / "objects"),
        "FIELD_KEYS": f"k1:{KEYS.keys['k1'].hex()}", "FIELD_KEY_CURRENT": "k1", "INDEX_KEY": KEYS.index_key.hex(),
        "TLS_CERT": str(pair.certificate), "TLS_KEY": str(pair.key), "TLS_ROOT": str(ensure(root).hospital.root),
        "WECHAT_MCHID": "1900000001", "WECHAT_APIV3_KEY": "b" * 32, "WECHAT_MERCHANT_KEY": str(wechat.merchant_key),
        "WECHAT_MERCHANT_SERIAL": wechat.merchant_serial, "WECHAT_PUBLIC_KEY": str(wechat.public_key),
        "WECHAT_PUBLIC_KEY_ID": "PUB_KEY_ID_0119000000012026",
    }  # fmt: skip


@contextmanager
def ground(processes: int, **more: str) -> Iterator[Ground]:
    """Stores, migrated database, an API of so many processes and the loader in a folder that goes away."""
    folder = Path(tempfile.mkdtemp(prefix="bench-booking-"))
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        options = StoreOptions(postgres_port=free_port(), valkey_port=free_port())
        urls = undo.enter_context(temporary_stores(folder, options))
        migrate(urls.database)
        bind_keyring(KEYS)
        bind_hospital(HOSPITAL_ID)
        port = free_port()
        environ = settings(urls, folder) | more
        environ |= {
            "PORT": str(port), "HOST": HOST, "PYTHONPATH": str(ROOT), "API_PROCESSES": str(processes),
        }  # fmt: skip
        command = [sys.executable, "-m", "backend", "api"]
        api = undo.enter_context(started(command, port=port, folder=folder, env=environ, name="api"))
        loader = Loader(folder, [port])
        undo.callback(loader.end)
        yield Ground(urls, connect(urls.database, Clock(), application="bench"), api, loader, folder, environ)


def say(text: str) -> None:
    """Progress, for who watches."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
