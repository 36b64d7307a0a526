"""PostgreSQL and Valkey for one machine: embedded, unless the settings name others.

stores = Stores.start(Path(".data"), StoreOptions(postgres_port=8432, valkey_port=8479))
... stores.urls.database, .regulator, .redis ...
stores.stop()
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from standalone import cluster
from standalone.failure import StoreError
from standalone.passwords import open_or_make
from standalone.paths import data_folder
from standalone.postgres import Postgres, end_leftovers
from standalone.valkey import Valkey


@dataclass(frozen=True)
class StoreOptions:
    """`DATABASE_URL`, `REGULATOR_DATABASE_URL`, `REDIS_URL`: what is given is not started here.

    With `DATABASE_URL` alone the embedded database still starts, for the regulator's side.
    """

    postgres_port: int
    valkey_port: int
    database_url: str | None = None
    regulator_database_url: str | None = None
    redis_url: str | None = None


@dataclass(frozen=True)
class StoreUrls:
    """Addresses with their passwords. `admin` is the embedded superuser's, None where nothing is embedded."""

    database: str = field(repr=False)
    regulator: str = field(repr=False)
    redis: str = field(repr=False)
    admin: str | None = field(repr=False, default=None)


class Stores:
    """What runs for one data folder. `postgres` and `valkey` are None where others are used."""

    def __init__(self, lock: int, urls: StoreUrls, postgres: Postgres | None, valkey: Valkey | None) -> None:
        self.urls = urls
        self.postgres = postgres
        self.valkey = valkey
        self._lock: int | None = lock

    @classmethod
    def start(cls, data: Path, options: StoreOptions) -> "Stores":
        """Raises StoreError: one line that names the port, folder or file that is in the way."""
        try:
            return cls._start(data, options)
        except OSError as problem:  # another user's folder, a full disk, a file where a folder should be
            raise StoreError(f"{problem.filename or data}: {problem.strerror or problem}") from problem

    @classmethod
    def _start(cls, data: Path, options: StoreOptions) -> "Stores":
        folder = data_folder(data)
        postgres: Postgres | None = None
        with contextlib.ExitStack() as undo:
            lock = _hold(folder.root)
            undo.callback(os.close, lock)
            passwords = open_or_make(folder, may_make=not cluster.exists(folder))
            if options.database_url is None or options.regulator_database_url is None:
                postgres = Postgres.start(folder, options.postgres_port, passwords)
                undo.callback(postgres.stop)
            valkey = None
            if options.redis_url is None:
                valkey = Valkey.start(folder, options.valkey_port, passwords)
            undo.pop_all()
        return cls(lock, _urls(options, postgres, valkey), postgres, valkey)

    def stop(self) -> None:
        """May be called twice. The caches go first: nothing waits for them."""
        try:
            if self.valkey is not None:
                self.valkey.stop()
        finally:
            if self.postgres is not None:
                self.postgres.stop()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None


@contextlib.contextmanager
def running(data: Path, options: StoreOptions) -> Iterator[StoreUrls]:
    """The stores for the length of a `with` block."""
    stores = Stores.start(data, options)
    try:
        yield stores.urls
    finally:
        stores.stop()


def remove(data: Path) -> None:
    """Deletes the embedded database of a data folder, wherever it is. Raises StoreError while it is in use."""
    folder = data_folder(data)
    lock = _hold(folder.root)
    try:
        for home in cluster.homes(folder):
            end_leftovers(home)
            shutil.rmtree(home.path)
        (folder.secrets / "stores.json").unlink(missing_ok=True)
    finally:
        os.close(lock)


def _urls(options: StoreOptions, postgres: Postgres | None, valkey: Valkey | None) -> StoreUrls:
    database, regulator = options.database_url, options.regulator_database_url
    redis = options.redis_url or (valkey.url if valkey else "")
    if postgres is not None:
        database, regulator = database or postgres.url("hospital"), regulator or postgres.url("regulator")
    assert database is not None
    assert regulator is not None
    return StoreUrls(
        _for_asyncpg(database),
        _for_asyncpg(regulator),
        redis,
        postgres.admin_url() if postgres else None,
    )


def _for_asyncpg(url: str) -> str:
    """People write postgresql://; our processes name the driver."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg{separator}{rest}" if scheme in ("postgres", "postgresql") else url


def _hold(folder: Path) -> int:
    """A lock on the folder that ends with this process, however it ends."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(f"{folder} is in use by another running system") from None
    return lock
