from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from foundation.crypto import Keyring
from foundation.object_store import FolderStore

KEY = "recordings/a/1.mkv"
CONTENT = bytes(range(256)) * 1000  # four chunks, the last one short


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({"k1": bytes(32), "k2": bytes([1]) * 32}, "k1", bytes(32))


@pytest.fixture
def store(tmp_path: Path, keyring: Keyring) -> FolderStore:
    return FolderStore(tmp_path / "objects", keyring)


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: tmp_path / "objects" / name


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def whole(store: FolderStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, length)])
