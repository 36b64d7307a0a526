"""The store in an S3-compatible bucket, with a folder as its workshop.

An object of S3 exists when its last byte has come, and not before; the port promises more: readable while it is written, and after a
crash up to the last whole chunk. So objects are written in the workshop and uploaded when they end. What a dead writer left there is
found by `salvage`. Several processes share one bucket; those that read what is still being written share the workshop too.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from foundation.crypto import Keyring
from foundation.object_store.bucket import Bucket
from foundation.object_store.folder import FolderAppender, FolderStore, info_of, put_by, range_of
from foundation.object_store.port import AlreadyThere, NotThere, ObjectInfo, check_key
from foundation.object_store.sealed import SealedReader


class S3Store:
    """Ended objects in `bucket`, the others below `workshop`; sealed alike."""

    def __init__(self, bucket: Bucket, workshop: Path, keyring: Keyring) -> None:
        self._bucket = bucket
        self._workshop = workshop
        self._beside = FolderStore(workshop, keyring)
        self._keyring = keyring

    async def put(self, key: str, content: AsyncIterable[bytes]) -> ObjectInfo:
        """Store a whole stream; nothing stays behind when it fails."""
        return await put_by(self.append, key, content)

    def append(self, key: str) -> "S3Appender":
        """Start an object exclusively; `AlreadyThere` when finished or being written."""
        if self._bucket.there(check_key(key)):
            raise AlreadyThere(key)
        return S3Appender(self, self._beside.append(key), key)

    async def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Plain bytes of a range, one chunk at a time, read in a thread."""
        async for piece in range_of(self.sealed, self._keyring, key, start, length):
            yield piece

    def chunks(self, key: str) -> Iterator[bytes]:
        """Plain bytes, one chunk at a time; blocking."""
        with self.sealed(key) as file:
            yield from SealedReader(file, self._keyring, key).chunks()

    def sealed(self, key: str) -> BinaryIO:
        """The sealed file, from the bucket, or from the workshop while it is written."""
        check_key(key)
        for find in (self._bucket.open, self._beside.sealed, self._bucket.open):  # it may move in between
            with contextlib.suppress(NotThere):
                return find(key)
        raise NotThere(key)

    async def info(self, key: str) -> ObjectInfo:
        """Size, digest and completeness, by reading all of it."""
        return await asyncio.to_thread(info_of, self.sealed, self._keyring, key)

    async def exists(self, key: str) -> bool:
        """Whether the object or its unfinished beginning is there."""
        return await self._beside.exists(key) or await asyncio.to_thread(self._bucket.there, key)

    async def delete(self, key: str) -> None:
        """Remove the object, and what lies in the workshop."""
        beside = True
        try:
            await self._beside.delete(key)
        except NotThere:
            beside = False
        try:
            await asyncio.to_thread(self._bucket.delete, check_key(key))
        except NotThere:
            if not beside:
                raise

    async def written(self, folder: str, after: datetime, before: datetime) -> list[str]:
        """As the port says; ended objects by the moment they were uploaded."""
        beside = await self._beside.written(folder, after, before)
        return sorted({*beside, *await asyncio.to_thread(self._uploaded, folder, after, before)})

    def _uploaded(self, folder: str, after: datetime, before: datetime) -> list[str]:
        depth = folder.count("/") + 2
        found = self._bucket.listed(check_key(folder))
        return [key for key, at in found if after <= at < before and key.count("/") == depth]

    async def salvage(self, key: str) -> ObjectInfo:
        """Upload what a dead writer left in the workshop, cut to its last whole chunk."""
        if await asyncio.to_thread(self._bucket.there, check_key(key)):
            raise NotThere(key)
        if not (self._workshop / key).exists():
            await self._beside.salvage(key)
        return await asyncio.to_thread(self._salvaged, key)

    def _salvaged(self, key: str) -> ObjectInfo:
        info = info_of(self._beside.sealed, self._keyring, key)
        self.upload(key)
        return info

    def upload(self, key: str) -> None:
        """Move an ended file from the workshop into the bucket; blocking. `AlreadyThere`."""
        path = self._workshop / check_key(key)
        self._bucket.put_file(key, path)
        path.unlink(missing_ok=True)


class S3Appender:
    """One object being written in the workshop; blocking, for one thread at a time."""

    def __init__(self, store: S3Store, inner: FolderAppender, key: str) -> None:
        self._store, self._inner, self._key = store, inner, key
        self._uploaded = False

    @property
    def size(self) -> int:
        """Plain bytes taken so far."""
        return self._inner.size

    def write(self, data: bytes) -> int:
        """Take bytes; `ValueError` after the end."""
        return self._inner.write(data)

    def flush(self) -> None:
        """As the folder's."""
        self._inner.flush()

    def close(self) -> ObjectInfo:
        """The end, in the workshop first; then the upload. Failing there it may be called again."""
        return self._ended(self._inner.close())

    def abandon(self) -> ObjectInfo:
        """Without an end, then the upload."""
        return self._ended(self._inner.abandon())

    def _ended(self, info: ObjectInfo) -> ObjectInfo:
        if not self._uploaded:
            self._store.upload(self._key)
            self._uploaded = True
        return info

    def discard(self) -> None:
        """Leave nothing behind in the workshop; nothing happens after an upload."""
        if not self._uploaded:
            self._inner.remove()
