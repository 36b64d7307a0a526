"""One running system's cloud: where all of it lies, and a search of it."""

from collections.abc import Sequence
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

HOSPITALS_OWN = ("world", "simulators/his")
"""What the hospital itself keeps: its store, and the people it was made from."""


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

    @property
    def keyring(self) -> Keyring:
        """The backend's."""
        return ring(self.system.keys.hospital)

    def running(self) -> Sequence[psutil.Process]:
        """Everything that this system started, the stores included."""
        return psutil.Process().children(recursive=True)

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
