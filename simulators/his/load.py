"""Loads the world into a store, once; a world made anew gets a store of its own."""

import hashlib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simulators.his import archive, register, world
from simulators.his.large_store import MOST_RESIDENTS, ROWS_EACH, LargeStore
from simulators.his.outcomes import Json
from simulators.his.store import Store
from simulators.his.visits import VisitWriter
from simulators.his.world import Department, Drug, Hospital, Resident, Staff

# Raise it when resources are built differently: stores of before are then left alone and made anew.
LAYOUT = 2


class Stopped(Exception):
    """The load was given up because the process is to end."""


@dataclass(frozen=True)
class Limits:
    """A world of more than `whole` residents stays in its file, indexed; a search there may concern `most` of them."""

    whole: int = 200_000
    most: int = MOST_RESIDENTS


def open_store(
    world_folder: Path,
    data_folder: Path,
    stop: Callable[[], bool] = lambda: False,
    limits: Limits = Limits(),
) -> Store:
    """The store of this world, loaded if it is not there yet. Raises WorldError, and Stopped when `stop()` says so."""
    about = world.about(world_folder)
    digest = hashlib.sha256((world_folder / "world.json").read_bytes() + bytes([LAYOUT])).hexdigest()[:12]
    whole = about.residents <= limits.whole
    path = data_folder / f"his-{digest}{'' if whole else '-archive'}.sqlite"
    loading = _Loading(world_folder, about, stop)
    if not path.is_file():
        loading.into(path, whole=whole)
    if whole:
        return Store(path)
    shelf = archive.Shelf(world_folder / "residents.json")
    return LargeStore(path, shelf, loading.of_resident(), loading.updated, limits.most)


class _Loading:
    def __init__(self, folder: Path, about: world.About, stop: Callable[[], bool]) -> None:
        self._folder = folder
        self._about = about
        self._stop = stop
        self.updated = f"{about.made_on}T00:00:00.000+08:00"

    def into(self, path: Path, *, whole: bool) -> None:
        """Into a file beside it, renamed when complete: an interrupted load leaves nothing that looks whole."""
        started = time.monotonic()
        unfinished = path.with_suffix(".loading")
        for name in (unfinished, Path(f"{unfinished}-wal"), Path(f"{unfinished}-shm")):
            name.unlink(missing_ok=True)
        store = Store.create(unfinished)
        try:
            if whole:
                number = store.load(self._everything(), self.updated)
                done = f"{number} resources of {self._about.residents} residents loaded"
            else:
                store.load(self._register(), self.updated, (self._about.residents + 1) * ROWS_EACH)
                self._index(unfinished)
                done = f"{self._about.residents} residents indexed"
            store.finish()
            store.set_fact("made_on", str(self._about.made_on))
        finally:
            store.close()
        unfinished.rename(path)
        _say(f"{done} in {time.monotonic() - started:.1f} s")

    def _index(self, path: Path) -> None:
        db = sqlite3.connect(path, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode=OFF")
            db.execute("PRAGMA synchronous=OFF")
            db.execute("PRAGMA cache_size=-200000")
            archive.build(
                db, self._folder / "residents.json", self._about.residents, _say, self._give_up_if_told
            )
        finally:
            db.close()

    def of_resident(self) -> Callable[[Resident], Iterator[Json]]:
        """Makes everything of one resident, the patient first."""
        staff = world.read(self._folder, "staff.json", list[Staff])
        writer = VisitWriter(self._departments(), {one.id: one.name for one in staff})

        def resources(resident: Resident) -> Iterator[Json]:
            yield from register.patients(resident)
            yield from register.allergies(resident)
            for visit in resident.visits:
                yield from writer.resources(resident, visit)

        return resources

    def _departments(self) -> dict[str, str]:
        read = world.read(self._folder, "departments.json", list[Department])
        return {one.code: one.name for one in read}

    def _register(self) -> Iterator[Json]:
        folder = self._folder
        hospital = world.read(folder, "hospital.json", Hospital)
        departments = world.read(folder, "departments.json", list[Department])
        yield from register.organizations(hospital, departments)
        yield from register.practitioners(world.read(folder, "staff.json", list[Staff]), self._departments())
        drugs = world.read(folder, "drugs.json", list[Drug])
        yield from register.medications(drugs)
        yield from register.prices(drugs, str(self._about.made_on))

    def _everything(self) -> Iterator[Json]:
        yield from self._register()
        resources = self.of_resident()
        step = max(1, self._about.residents // 5)
        for place, resident in enumerate(world.residents(self._folder), 1):
            yield from resources(resident)
            self._give_up_if_told()
            if place % step == 0:
                _say(f"{place} of {self._about.residents} residents loaded")

    def _give_up_if_told(self) -> None:
        if self._stop():
            raise Stopped


def _say(text: str) -> None:
    sys.stderr.write(f"his: {text}\n")
    sys.stderr.flush()
