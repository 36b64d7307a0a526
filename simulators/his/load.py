"""Loads the world into a store, once; a world made anew gets a store of its own."""

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from simulators.his import register, world
from simulators.his.outcomes import Json
from simulators.his.store import Store
from simulators.his.visits import VisitWriter
from simulators.his.world import Department, Drug, Hospital, Staff

# Raise it when resources are built differently: stores of before are then left alone and made anew.
LAYOUT = 1


class Stopped(Exception):
    """The load was given up because the process is to end."""


def open_store(world_folder: Path, data_folder: Path, stop: Callable[[], bool] = lambda: False) -> Store:
    """The store of this world, loaded if it is not there yet. Raises WorldError, and Stopped when `stop()` says so."""
    about = world.about(world_folder)
    digest = hashlib.sha256((world_folder / "world.json").read_bytes() + bytes([LAYOUT])).hexdigest()[:12]
    path = data_folder / f"his-{digest}.sqlite"
    if not path.is_file():
        _load(world_folder, path, about, stop)
    return Store(path)


def _load(folder: Path, path: Path, about: world.About, stop: Callable[[], bool]) -> None:
    """Into a file beside it, renamed when complete: an interrupted load leaves nothing that looks whole."""
    started = time.monotonic()
    unfinished = path.with_suffix(".loading")
    for name in (unfinished, Path(f"{unfinished}-wal"), Path(f"{unfinished}-shm")):
        name.unlink(missing_ok=True)
    store = Store.create(unfinished)
    updated = f"{about.made_on}T00:00:00.000+08:00"
    number = store.load(_resources(folder, about, stop), updated)
    store.finish()
    store.set_fact("made_on", str(about.made_on))
    store.close()
    unfinished.rename(path)
    _say(f"{number} resources of {about.residents} residents loaded in {time.monotonic() - started:.1f} s")


def _resources(folder: Path, about: world.About, stop: Callable[[], bool]) -> Iterator[Json]:
    hospital = world.read(folder, "hospital.json", Hospital)
    departments = {one.code: one.name for one in world.read(folder, "departments.json", list[Department])}
    staff = world.read(folder, "staff.json", list[Staff])
    yield from register.organizations(hospital, world.read(folder, "departments.json", list[Department]))
    yield from register.practitioners(staff, departments)
    yield from register.medications(world.read(folder, "drugs.json", list[Drug]))
    writer = VisitWriter(departments, {one.id: one.name for one in staff})
    step = max(1, about.residents // 5)
    for place, resident in enumerate(world.residents(folder), 1):
        yield from register.patients(resident)
        yield from register.allergies(resident)
        for visit in resident.visits:
            yield from writer.resources(resident, visit)
        if stop():
            raise Stopped
        if place % step == 0:
            _say(f"{place} of {about.residents} residents loaded")


def _say(text: str) -> None:
    sys.stderr.write(f"his: {text}\n")
    sys.stderr.flush()
