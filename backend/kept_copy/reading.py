"""The cloud's objects, and behind them the hospital's copies: who opens what was dropped here is shown the hospital's.

A copy is fetched whole into a temporary file, sealed as it is, and compared with the digest of its row before a byte of it is shown.
It stays there for some minutes, since players and pages ask several times.
"""

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from backend.kept_copy import queries
from backend.kept_copy.states import READABLE
from backend.outside.kept import READING, HospitalStore
from foundation.actor import SYSTEM
from foundation.crypto import Keyring
from foundation.db.audit import audit
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from foundation.object_store import Appender, Damaged, NotThere, ObjectInfo, ObjectStore
from foundation.object_store.folder import info_of, range_of
from foundation.object_store.sealed import SealedReader

MINUTES = 10
MOST = 8
"""Copies at hand at the same time."""


class KeptObjects:
    """An `ObjectStore`: writes are the cloud's own, reads go on to the hospital when nothing is here."""

    def __init__(self, local: ObjectStore, db: Database, hospital: HospitalStore, keyring: Keyring) -> None:
        self._local, self._db, self.hospital, self._keyring = local, db, hospital, keyring
        self._loop = asyncio.get_running_loop()
        self._folder = tempfile.TemporaryDirectory(prefix="kept-", ignore_cleanup_errors=True)
        self._at_hand: dict[str, tuple[Path, float]] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    async def put(self, key: str, content: AsyncIterable[bytes]) -> ObjectInfo:
        """Here."""
        return await self._local.put(key, content)

    def append(self, key: str) -> Appender:
        """Here."""
        return self._local.append(key)

    async def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """From here or the hospital. `Unavailable` while the hospital's store cannot be reached."""
        file = await self._opened(key)
        async for piece in range_of(lambda _: file, self._keyring, key, start, length):
            yield piece

    def chunks(self, key: str) -> Iterator[bytes]:
        """The same, blocking: for a thread that is not the loop's."""
        try:
            file = self._local.sealed(key)
        except NotThere:
            fetching = asyncio.run_coroutine_threadsafe(self._fetched(key), self._loop)
            file = fetching.result().open("rb")
        with file:
            yield from SealedReader(file, self._keyring, key).chunks()

    def sealed(self, key: str) -> BinaryIO:
        """Here only: what is copied is the cloud's own."""
        return self._local.sealed(key)

    async def info(self, key: str) -> ObjectInfo:
        """Of what is here, or at the hospital."""
        file = await self._opened(key)
        return await asyncio.to_thread(info_of, lambda _: file, self._keyring, key)

    async def exists(self, key: str) -> bool:
        """Here."""
        return await self._local.exists(key)

    async def delete(self, key: str) -> None:
        """Here: nothing is ever removed at the hospital."""
        await self._local.delete(key)

    async def written(self, folder: str, after: datetime, before: datetime) -> list[str]:
        """Here."""
        return await self._local.written(folder, after, before)

    async def salvage(self, key: str) -> ObjectInfo:
        """Here."""
        return await self._local.salvage(key)

    def close(self) -> None:
        """Forget what is at hand."""
        self._folder.cleanup()

    async def _opened(self, key: str) -> BinaryIO:
        try:
            return await asyncio.to_thread(self._local.sealed, key)
        except NotThere:
            return await asyncio.to_thread((await self._fetched(key)).open, "rb")

    async def _fetched(self, key: str) -> Path:
        async with self._fetching.setdefault(key, asyncio.Lock()):
            self._tidy()
            if key not in self._at_hand:
                self._at_hand[key] = await self._fetch(key), time.monotonic() + MINUTES * 60
            return self._at_hand[key][0]

    async def _fetch(self, key: str) -> Path:
        async with unit_of_work(self._db) as session:
            row = await queries.of_key(session, key)
            if row is None or row.state not in READABLE:
                raise NotThere(key)
            wanted = row.sha256
            audit(session, SYSTEM, "kept_copy.fetched", "kept_copy", row.id, detail={"purpose": READING})
        path, digest = Path(self._folder.name) / str(new_id()), hashlib.sha256()
        try:
            with path.open("xb") as file:
                async for piece in self.hospital.get(key, READING):
                    digest.update(piece)
                    await asyncio.to_thread(file.write, piece)
            if digest.hexdigest() != wanted:
                raise Damaged("the hospital's copy is not what was copied")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _tidy(self) -> None:
        """What was fetched long ago, and the oldest where there are too many; an open file lives on until it is closed."""
        late = [key for key, (_, until) in self._at_hand.items() if until < time.monotonic()]
        over = list(self._at_hand)[: max(0, len(self._at_hand) - len(late) - MOST + 1)]
        for key in {*late, *over}:
            self._at_hand.pop(key)[0].unlink(missing_ok=True)
        for key in [key for key, lock in self._fetching.items() if not lock.locked()]:
            del self._fetching[key]
