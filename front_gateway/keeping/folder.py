"""The hospital's store as a folder of the inner zone: what arrives lies under `.incoming` until it is whole, then gets its name."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from foundation.clock import Clock
from foundation.object_store import AlreadyThere, NotThere
from foundation.object_store.bucket import Stored, StoreUnreachable
from foundation.object_store.digests import digest_of

INCOMING = ".incoming"
FORGOTTEN_SECONDS = 86_400
"""What a killed gateway left unfinished is removed after a day."""
PIECE = 256 * 1024
T = TypeVar("T")


class FolderKept:
    """Several gateways may share `root`: a name is given by a link, which refuses to overwrite."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / INCOMING

    async def put(self, key: str, pieces: AsyncIterable[bytes], sha256: str = "") -> None:
        """Written, forced to the disk, then named."""
        path = await _blocking(self._begin, key)
        file: BinaryIO | None = None
        try:
            file = await _blocking(_created, path)
            async for piece in pieces:
                await _blocking(file.write, piece)
            await _blocking(self._publish, key, path, file)
        finally:
            if file is not None:
                file.close()
            await _blocking(_removed, path)

    async def head(self, key: str) -> Stored:
        """By reading all of it: what is on the disk counts, not what was once written down."""
        return await _blocking(self._read, key)

    async def stream(self, key: str) -> tuple[Stored, AsyncIterator[bytes]]:
        """Unread, so without a digest: whoever asked compares."""
        file = await _blocking(self._open, key)
        return Stored(os.fstat(file.fileno()).st_size, ""), _pieces(file)

    async def reach(self) -> None:
        """The folder can be written to."""
        await _blocking(lambda: self._incoming.mkdir(mode=0o700, exist_ok=True))

    def tidy(self) -> int:
        """Remove what was left unfinished a day ago or longer; how much there was."""
        late = Clock().now().timestamp() - FORGOTTEN_SECONDS  # the disk goes by the machine's own clock
        old = [
            path
            for path in (self._incoming.iterdir() if self._incoming.is_dir() else ())
            if path.stat().st_mtime < late
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _begin(self, key: str) -> Path:
        if (self._root / key).exists():
            raise AlreadyThere(key)
        self._incoming.mkdir(mode=0o700, exist_ok=True)
        return self._incoming / secrets.token_hex(16)

    def _publish(self, key: str, path: Path, file: BinaryIO) -> None:
        file.flush()
        os.fsync(file.fileno())
        target = self._root / key
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            target.hardlink_to(path)
        except FileExistsError:
            raise AlreadyThere(key) from None
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _open(self, key: str) -> BinaryIO:
        try:
            return (self._root / key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotThere(key) from None

    def _read(self, key: str) -> Stored:
        with self._open(key) as file:
            return Stored(*digest_of(iter(lambda: file.read(PIECE), b"")))


async def _blocking(act: Callable[..., T], *given: Any) -> T:
    """In a thread; a disk that is full or away is a store that is away."""
    try:
        return await asyncio.to_thread(act, *given)
    except OSError as error:
        raise StoreUnreachable(error.strerror or type(error).__name__) from None


def _created(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _removed(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
