"""Remembers which preparations are done, so that a second start need not do them again.

A preparation is known by a digest of what it reads. The database's own birth is part of each: a new cluster knows nothing.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from standalone.children import ROOT
from standalone.paths import DataFolder, write_private
from standalone.stores import Stores

NAME = "prepared.json"


class Prepared:
    """Digests by name of what was prepared in one data folder. Knows nothing of stores that stand elsewhere."""

    def __init__(self, folder: DataFolder, stores: Stores) -> None:
        self._file = folder.root / NAME
        self._birth = _birth(stores)
        self._done: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def has(self, name: str, digest: str) -> bool:
        """Whether exactly this was done before."""
        return bool(self._birth) and self._done.get(name) == self._birth + digest

    def remember(self, name: str, digest: str) -> None:
        """It is done."""
        self._done[name] = self._birth + digest
        write_private(self._file, json.dumps(self._done, indent=1).encode())


def _birth(stores: Stores) -> str:
    if stores.postgres is None:
        return ""
    made = (stores.postgres.home.cluster / "PG_VERSION").stat()
    return f"{made.st_ino}-{made.st_mtime_ns}-"


def digest_of(places: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files, those in folders included."""
    found = hashlib.sha256()
    for place in places:
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def migrations(package: str) -> str:
    """What a package's `migrate` reads."""
    return digest_of([ROOT / package / "migrations"])


def seeds(world: Path) -> str:
    """What `seed` reads: the world, and the backend's own tables of drugs, prices and documents."""
    backend = ROOT / "backend"
    return digest_of(
        [
            world / "world.json",
            backend / "seeding.py",
            backend / "formulary",
            backend / "content",
            backend / "pricing",
        ]
    )
