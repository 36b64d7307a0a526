"""The port: what any place that keeps objects can do (a folder, an S3-compatible service)."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9]+)?(?:/[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9]+)?)*")
MAX_KEY = 200


class ObjectStoreError(Exception):
    """Base of what a store refuses."""


class NotThere(ObjectStoreError):
    """No object of that key."""


class AlreadyThere(ObjectStoreError):
    """The key is taken, finished or still being written: objects are never overwritten."""


class Damaged(ObjectStoreError):
    """The stored bytes were changed, exchanged or belong to another key."""


@dataclass(frozen=True)
class ObjectInfo:
    """Size and SHA-256 (hex) of the plain content; `complete` is False when the end was never written."""

    key: str
    size: int
    sha256: str
    complete: bool


class Appender(Protocol):
    """An object being written. Blocking: for a writer thread. `close` and `abandon` may be called twice."""

    @property
    def size(self) -> int:
        """Plain bytes taken so far."""

    def write(self, data: bytes) -> int:
        """Take `data`; it may stay in memory until a chunk is full or `flush` is called."""

    def flush(self) -> None:
        """What was taken until now survives the death of this process."""

    def close(self) -> ObjectInfo:
        """Write the end, force everything to disk, give the object its key."""

    def abandon(self) -> ObjectInfo:
        """Leave the object without an end: readable up to here, never complete."""

    def discard(self) -> None:
        """Leave nothing behind; nothing happens after an end."""


class ObjectStore(Protocol):
    """Keys are lower-case paths such as `recordings/2026/…/1.mkv`; `ValueError` for any other."""

    async def put(self, key: str, content: AsyncIterable[bytes]) -> ObjectInfo:
        """Store a whole stream; nothing stays behind when it fails. `AlreadyThere`."""

    def append(self, key: str) -> Appender:
        """Start an object, exclusively. Blocking. `AlreadyThere`."""

    def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Plain bytes from `start`, at most `length`; ends early where an incomplete object ends. `NotThere`, `Damaged`."""

    def chunks(self, key: str) -> Iterator[bytes]:
        """All plain bytes from the beginning. Blocking: for a thread of its own. `NotThere`, `Damaged`."""

    def sealed(self, key: str) -> BinaryIO:
        """The sealed file itself, at its beginning, to be closed by the caller. Blocking. `NotThere`."""

    async def info(self, key: str) -> ObjectInfo:
        """Reads the whole object and says what it is. `NotThere`, `Damaged`."""

    async def exists(self, key: str) -> bool:
        """Whether there is an object, complete or not."""

    async def delete(self, key: str) -> None:
        """Remove it; `NotThere`."""

    async def written(self, folder: str, after: datetime, before: datetime) -> list[str]:
        """Objects two levels below `folder`, complete or not, whose last byte was written between the two moments."""

    async def salvage(self, key: str) -> ObjectInfo:
        """Give an object whose writer died its key, cut to its last whole chunk. `NotThere`."""


def check_key(key: str) -> str:
    """`key` when it is a safe path; `ValueError` otherwise."""
    if len(key) > MAX_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"not an object key: {key!r}")
    return key
