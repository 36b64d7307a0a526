import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import obstore
import pytest

from foundation.crypto import Keyring
from foundation.object_store import FolderStore, ObjectStore
from foundation.object_store.bucket import Bucket
from foundation.object_store.s3 import S3Store
from tests.s3_servers import SERVERS, S3Server, s3_server

KEY = "recordings/a/1.mkv"
CONTENT = bytes(range(256)) * 1000  # four chunks, the last one short
BACKENDS = ("folder", *SERVERS)


class Kept(Protocol):
    """A stored file as it lies there, whatever keeps it."""

    def read_bytes(self) -> bytes: ...

    def write_bytes(self, data: bytes, /) -> object: ...

    def exists(self) -> bool: ...


@dataclass(frozen=True)
class InBucket:
    """An object of a bucket; of what is no object yet, the file in the workshop."""

    bucket: Bucket
    beside: Path
    name: str

    def read_bytes(self) -> bytes:
        if not self.bucket.there(self.name):
            return self.beside.read_bytes()
        with self.bucket.open(self.name) as file:
            return file.read()

    def write_bytes(self, data: bytes) -> None:
        if self.beside.exists() and not self.bucket.there(self.name):
            self.beside.write_bytes(data)
        else:
            obstore.put(self.bucket._client, self.name, data)

    def exists(self) -> bool:
        return self.beside.exists() or self.bucket.there(self.name)


FileOf = Callable[[str], Kept]


@pytest.fixture(scope="session")
def s3_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], S3Server]]:
    started: dict[str, S3Server] = {}
    with contextlib.ExitStack() as stack:

        def of(name: str) -> S3Server:
            if name not in started:
                started[name] = stack.enter_context(s3_server(name, tmp_path_factory.mktemp(name)))
            return started[name]

        yield of


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({"k1": bytes(32), "k2": bytes([1]) * 32}, "k1", bytes(32))


@pytest.fixture
def folder_store(tmp_path: Path, keyring: Keyring) -> FolderStore:
    return FolderStore(tmp_path / "objects", keyring)


@dataclass(frozen=True)
class Place:
    """One way of keeping objects: a store for a keyring, and the bytes behind it."""

    open: Callable[[Keyring], ObjectStore]
    file: FileOf


@pytest.fixture(params=BACKENDS)
def keeper(request: pytest.FixtureRequest, tmp_path: Path, s3_servers: Callable[[str], S3Server]) -> Place:
    if request.param == "folder":
        root = tmp_path / "objects"
        return Place(lambda keyring: FolderStore(root, keyring), lambda name: root / name)
    bucket, workshop = Bucket(s3_servers(request.param).bucket()), tmp_path / "workshop"
    return Place(
        lambda keyring: S3Store(bucket, workshop, keyring),
        lambda name: InBucket(bucket, workshop / name, name),
    )


@pytest.fixture
def store(keeper: Place, keyring: Keyring) -> ObjectStore:
    return keeper.open(keyring)


@pytest.fixture
def file_of(keeper: Place) -> FileOf:
    return keeper.file


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def whole(store: ObjectStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, length)])


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777
