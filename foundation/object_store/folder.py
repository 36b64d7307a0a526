"""The store in a folder: one sealed file per object, `.part` until it is whole."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from foundation.crypto import Keyring
from foundation.object_store.digests import digest_of
from foundation.object_store.port import AlreadyThere, Appender, Damaged, NotThere, ObjectInfo, check_key
from foundation.object_store.sealed import SealedReader, SealedWriter

PART = ".part"


class FolderStore:
    """Objects below `root`. A finished object is a file of its key's name; one without its end has `.part` added."""

    def __init__(self, root: Path, keyring: Keyring) -> None:
        self._root = root
        self._keyring = keyring

    async def put(self, key: str, content: AsyncIterable[bytes]) -> ObjectInfo:
        """Store a whole stream; the unfinished file is removed when it fails."""
        return await put_by(self.append, key, content)

    def append(self, key: str) -> "FolderAppender":
        """Start an object exclusively; `AlreadyThere` when finished or being written."""
        return FolderAppender(self._path(key), self._keyring, key)

    async def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Plain bytes of a range, one chunk at a time, read in a thread."""
        async for piece in range_of(self._open, self._keyring, key, start, length):
            yield piece

    def chunks(self, key: str) -> Iterator[bytes]:
        """Plain bytes, one chunk at a time; blocking."""
        with self._open(key) as file:
            yield from SealedReader(file, self._keyring, key).chunks()

    def sealed(self, key: str) -> BinaryIO:
        """The file as it lies there."""
        return self._open(key)

    async def info(self, key: str) -> ObjectInfo:
        """Size, digest and completeness, by reading all of it."""
        return await asyncio.to_thread(info_of, self._open, self._keyring, key)

    async def exists(self, key: str) -> bool:
        """Whether the object or its unfinished beginning is there."""
        path = self._path(key)
        return await asyncio.to_thread(lambda: path.exists() or _part(path).exists())

    async def delete(self, key: str) -> None:
        """Remove the file, or the unfinished one."""
        path = self._path(key)

        def remove() -> None:
            for one in (path, _part(path)):
                with contextlib.suppress(FileNotFoundError):
                    one.unlink()
                    _sync_folder(path.parent)
                    return
            raise NotThere(key)

        await asyncio.to_thread(remove)

    async def written(self, folder: str, after: datetime, before: datetime) -> list[str]:
        """Objects two levels below `folder`, complete or not, whose last byte was written between the two moments."""
        return await asyncio.to_thread(self._written, folder, after.timestamp(), before.timestamp())

    def _written(self, folder: str, after: float, before: float) -> list[str]:
        top = self._path(folder)
        found: set[str] = set()
        with contextlib.suppress(FileNotFoundError):
            # a folder's own time is that of the last file that began or ended there: old ones are not looked into
            for middle in (one for one in os.scandir(top) if one.is_dir() and one.stat().st_mtime >= after):
                found |= {
                    f"{folder}/{middle.name}/{file.name.removesuffix(PART)}"
                    for file in os.scandir(middle.path)
                    if after <= file.stat().st_mtime < before
                }
        return sorted(found)

    async def salvage(self, key: str) -> ObjectInfo:
        """Cut the `.part` of a dead writer to its last whole chunk and give it its key; it stays incomplete."""
        return await asyncio.to_thread(self._salvage, key)

    def _salvage(self, key: str) -> ObjectInfo:
        path = self._path(key)
        try:
            file = _part(path).open("r+b")
        except FileNotFoundError:
            raise NotThere(key) from None
        with file:
            reader = SealedReader(file, self._keyring, key)
            with contextlib.suppress(Damaged):  # a torn last chunk after a power cut is the cut
                for _ in reader.chunks():
                    pass
            file.truncate(reader.end)
            os.fsync(file.fileno())
        _publish(path)
        return info_of(self._open, self._keyring, key)

    def _open(self, key: str) -> BinaryIO:
        path = self._path(key)
        for one in (path, _part(path), path):
            with contextlib.suppress(FileNotFoundError):
                return one.open("rb")
        raise NotThere(key)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)


class FolderAppender:
    """One object being written; blocking, for one thread at a time."""

    def __init__(self, path: Path, keyring: Keyring, key: str) -> None:
        self._path = path
        self._key = key
        self._ended: ObjectInfo | None = None
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists():
            raise AlreadyThere(key)
        try:
            descriptor = os.open(_part(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise AlreadyThere(key) from None
        self._file = open(descriptor, "wb", buffering=0)  # noqa: SIM115, PTH123 - closed by close, abandon or discard
        self._sealed = SealedWriter(self._file, keyring, key)

    @property
    def size(self) -> int:
        """Plain bytes taken so far."""
        return self._sealed.size

    def write(self, data: bytes) -> int:
        """Take bytes; `ValueError` after the end."""
        if self._ended is not None:
            raise ValueError("the object has ended")
        return self._sealed.write(data)

    def flush(self) -> None:
        """Hand pending bytes to the operating system as a whole chunk: they survive the process, not a power cut."""
        if self._ended is None:
            self._sealed.flush()

    def close(self) -> ObjectInfo:
        """Final chunk, fsync, then the name; the second call returns the first one's answer."""
        if self._ended is None:
            self._sealed.finish()
            os.fsync(self._file.fileno())
            self._file.close()
            _publish(self._path)
            self._ended = ObjectInfo(self._key, self._sealed.size, self._sealed.digest, complete=True)
        return self._ended

    def abandon(self) -> ObjectInfo:
        """Keep what was taken, without an end, under the object's name."""
        if self._ended is None:
            self._sealed.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            _publish(self._path)
            self._ended = ObjectInfo(self._key, self._sealed.size, self._sealed.digest, complete=False)
        return self._ended

    def discard(self) -> None:
        """Remove the unfinished file; nothing happens after an end."""
        if self._ended is None:
            self._file.close()
            _part(self._path).unlink(missing_ok=True)

    def remove(self) -> None:
        """Like `discard`, and after an end too: for whoever takes the file elsewhere."""
        self.discard()
        self._path.unlink(missing_ok=True)


Opener = Callable[[str], BinaryIO]


async def range_of(
    opened: Opener, keyring: Keyring, key: str, start: int, length: int | None
) -> AsyncIterator[bytes]:
    """Plain bytes of a range of the sealed file that `opened` gives."""
    file = await asyncio.to_thread(opened, key)
    try:
        pieces = (await asyncio.to_thread(SealedReader, file, keyring, key)).chunks(start, length)
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece
    finally:
        file.close()


def info_of(opened: Opener, keyring: Keyring, key: str) -> ObjectInfo:
    """What the sealed file is that `opened` gives, by reading all of it; blocking."""
    with opened(key) as file:
        reader = SealedReader(file, keyring, key)
        size, sha256 = digest_of(reader.chunks())
    return ObjectInfo(key, size, sha256, reader.complete)


async def put_by(append: Callable[[str], Appender], key: str, content: AsyncIterable[bytes]) -> ObjectInfo:
    """Store a whole stream by an appender; what is unfinished is removed when it fails."""
    appender = await asyncio.to_thread(append, key)
    try:
        async for data in content:
            await asyncio.to_thread(appender.write, data)
        return await asyncio.to_thread(appender.close)
    except BaseException:
        appender.discard()
        raise


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)


def _publish(path: Path) -> None:
    """Give the `.part` its name; a link refuses to overwrite, which a rename would do silently."""
    try:
        path.hardlink_to(_part(path))
    except FileExistsError:
        raise AlreadyThere(path.name) from None
    _part(path).unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
