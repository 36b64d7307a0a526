import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from standalone import stores
from standalone.stores import StoreOptions
from tests.temporary import temporary_folder

AS_ROOT = os.geteuid() == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def options(**given: Any) -> StoreOptions:
    return StoreOptions(postgres_port=free_port(), valkey_port=free_port(), **given)


def query(url: str, sql: str) -> Any:
    """The first value of the first row."""

    async def ask() -> Any:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""), ssl=False)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder with a database in it, the same one for every test of a file: making one takes a while."""
    with reachable_folder() as folder:
        with stores.running(folder, options()):
            pass
        yield folder


@pytest.fixture
def new_data() -> Iterator[Path]:
    """A data folder that does not exist yet."""
    with reachable_folder() as folder:
        yield folder


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Below a folder that everybody can enter, as pytest's own folders are not."""
    with temporary_folder("standalone-test-") as parent:
        yield parent / "data"
        if (parent / "data").exists():
            stores.remove(parent / "data")


@pytest.fixture
def hidden_data(tmp_path: Path) -> Iterator[Path]:
    """A data folder under a folder that only its owner may enter."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    yield hidden / "data"
    if (hidden / "data").exists():
        stores.remove(hidden / "data")
