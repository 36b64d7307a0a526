"""Writes to the database what happens in rooms, in order, without ever holding a room up."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Busy
from foundation.logs import log

Entry = Callable[[AsyncSession], Awaitable[None]]
MAX_WAIT = 10.0
TRIES = 3
CAPACITY = 10_000


class Journal:
    """A queue and the one task that empties it. While the database is away entries wait; a bad entry is dropped and told."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queue: asyncio.Queue[tuple[str, Entry]] = asyncio.Queue(CAPACITY)
        self._task = asyncio.create_task(self._run())

    def add(self, name: str, entry: Entry) -> None:
        """Write `entry` when its turn comes, in a transaction of its own."""
        try:
            self._queue.put_nowait((name, entry))
        except asyncio.QueueFull:
            log.error("journal_full", entry=name)

    async def close(self, seconds: float = 10) -> None:
        """Write what waits, but not for longer than `seconds`: open recordings are found again at the next start."""
        try:
            async with asyncio.timeout(seconds):
                await self._queue.join()
        except TimeoutError:
            log.error("journal_not_empty", waiting=self._queue.qsize())
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            name, entry = await self._queue.get()
            try:
                await self._write(name, entry)
            finally:
                self._queue.task_done()

    async def _write(self, name: str, entry: Entry) -> None:
        wait, tries = 0.1, 0
        while True:
            try:
                async with unit_of_work(self._db) as session:
                    await entry(session)
                return
            except Exception as error:
                away = isinstance(error, OSError | Busy | OperationalError | InterfaceError) or (
                    isinstance(error, DBAPIError) and error.connection_invalidated
                )
                tries += 0 if away else 1
                if tries >= TRIES:
                    log.error("journal_entry_lost", entry=name, exc_info=error)
                    return
                log.warning("journal_waits", entry=name, error=str(error))
            await asyncio.sleep(wait)
            wait = min(wait * 2, MAX_WAIT)
