"""Stores that leave nothing behind, in memory where there is room: a test clones its database, and a disk takes its time.

Started as root, a database whose folder its own account cannot reach lies in /var/tmp, where no test runner tidies up.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standalone import stores
from standalone.stores import StoreOptions, StoreUrls

MEMORY = Path("/dev/shm")
ROOM = 6_000_000_000
"""Free bytes that every database of a whole run fits into, several times over."""


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Reachable for the account that runs a database started by root."""
    spacious = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=MEMORY if spacious else None, ignore_cleanup_errors=True
    ) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@contextmanager
def stores_in_memory(options: StoreOptions) -> Iterator[StoreUrls]:
    """Both stores of a test."""
    with temporary_folder("stores-") as folder, temporary_stores(folder, options) as urls:
        yield urls


@contextmanager
def temporary_stores(data: Path, options: StoreOptions) -> Iterator[StoreUrls]:
    """Both over a folder of the caller's; at the end the database is deleted, the folder stays."""
    try:
        with stores.running(data, options) as urls:
            yield urls
    finally:
        stores.remove(data)
