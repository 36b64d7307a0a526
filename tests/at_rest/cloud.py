"""One running system's cloud: where all of it lies, and a search of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from foundation.crypto import Keyring
from standalone import cluster
from standalone.binaries import postgres_programs
from standalone.keys import FieldKeys
from standalone.system import System
from tests.at_rest import places
from tests.at_rest.forms import Marks
from tests.at_rest.places import Looked

HOSPITALS_OWN = ("world", "simulators/his", "simulators/lis_ris")
"""What the hospital itself keeps: its stores, and the people it was made from."""


def ring(keys: FieldKeys) -> Keyring:
    """Of the secrets on this machine."""
    return Keyring(
        {name: bytes.fromhex(key) for name, key in keys.keys.items()},
        keys.current,
        bytes.fromhex(keys.index_key),
    )


@dataclass
class Cloud:
    """The stores, files and processes of a system."""

    system: System
    others: Sequence[psutil.Process] = ()
    """Further processes to look at."""

    @property
    def root(self) -> Path:
        """The data folder."""
        return self.system.folder.root

    @property
    def objects(self) -> Path:
        """The object store."""
        return self.root / "objects"

    @property
    def hospitals_store(self) -> Path:
        """Where the marks have to be."""
        return self.root / "simulators" / "his"

    async def has_a_sheet(self) -> bool | None:
        """Sheets are made by a job after the visit; None while there is none."""
        return any(one.suffix != ".part" for one in (self.objects / "sheets").rglob("*.*")) or None

    @property
    def keyring(self) -> Keyring:
        """The backend's."""
        return ring(self.system.keys.hospital)

    def running(self) -> Iterator[psutil.Process]:
        """The processes of this system with what they started, and the stores."""
        home = cluster.find_home(self.system.folder)
        pids = [unit.child.pid for unit in self.system.units.values() if unit.child is not None]
        pids.append(int((home.cluster / "postmaster.pid").read_text().split()[0]))
        pids.append(int(json.loads((self.system.folder.run / "valkey.json").read_bytes())["pid"]))
        for one in (*map(psutil.Process, pids), *self.others):
            yield from (one, *one.children(recursive=True))

    async def search(self, marks: Marks) -> list[Looked]:
        """All places, one after another."""
        urls, home = self.system.installation.urls, cluster.find_home(self.system.folder)
        admin = urls.admin
        assert admin is not None, "only an embedded database lies open"
        program = postgres_programs(home.account) / "pg_dump"
        bases = {name: f"{admin.rsplit('/', 1)[0]}/{name}" for name in cluster.DATABASES}
        rings = {name: ring(getattr(self.system.keys, name)) for name in bases}
        looked = [await places.tables(url, marks, rings[name]) for name, url in bases.items()]
        for name, one in zip(bases, looked, strict=True):
            one.place = f"{name}: {one.place}"
        looked += [await places.in_thread(places.dump, program, url, marks) for url in bases.values()]
        await places.checkpoint(admin)
        looked.append(
            await places.in_thread(places.files, "PostgreSQL's files, WAL included", [home.path], marks, ())
        )
        looked.append(await places.valkey(urls.redis, marks))
        looked.append(await places.in_thread(places.objects, self.objects, self.keyring, marks))
        looked.append(await places.in_thread(self._rest, marks))
        looked.append(await places.in_thread(places.processes, self.running(), marks))
        return looked

    def _rest(self, marks: Marks) -> Looked:
        left_out = [self.root / part for part in HOSPITALS_OWN]
        left_out += [self.objects, self.system.folder.postgres]
        return places.files("logs and all other files", [self.root], marks, left_out)
