"""The running hospital: store, clock, faults, and what works on them."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from simulators.his import schedules
from simulators.his.load import Limits, Stopped, open_store
from simulators.his.pages import Pages
from simulators.his.store import Store
from simulators.his.world import Canary, WorldError, read
from simulators.his.writes import Writer
from simulators.server import Clock, Faults


class Hospital:
    """`store`, `writer` and `pages` exist once `ready`."""

    def __init__(
        self,
        world: Path,
        data: Path,
        clock: Clock,
        give_up: Callable[[], None] = lambda: None,
        limits: Limits | None = None,
    ) -> None:
        """`give_up` is called, with `failure` set, when the world cannot be loaded."""
        self._world = world
        self._data = data
        self._limits = limits or Limits()
        self.clock = clock
        self.faults = Faults(
            down=bool,
            slow_seconds=float,
            refuse_writes=str,
            lose_write_answers=bool,
            wrong_patient=bool,
            garbage=bool,
        )
        self.ready = False
        self.failure = ""
        self._stopping = False
        self._give_up = give_up
        self.store: Store
        self.writer: Writer
        self.pages: Pages

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Loads in a thread, so that the health port answers meanwhile; the FHIR port accepts nobody until it is done."""
        await asyncio.to_thread(self._try_to_open)
        try:
            yield
        finally:
            if self.ready:
                self.close()

    def stop(self) -> None:
        """Give up loading."""
        self._stopping = True

    def _try_to_open(self) -> None:
        try:
            self.open()
        except Stopped:
            pass
        except (WorldError, sqlite3.Error, OSError) as problem:
            self.failure = str(problem)
            self._give_up()

    def open(self) -> None:
        """Raises WorldError."""
        self.store = open_store(self._world, self._data, lambda: self._stopping, self._limits)
        self.writer = Writer(self.store, self.clock)
        self.pages = Pages(self.store)
        schedules.ensure(self.store, self.clock)
        self.ready = True

    def close(self) -> None:
        self.ready = False
        self.store.close()

    def canaries(self) -> list[Canary]:
        return read(self._world, "canaries.json", list[Canary])
