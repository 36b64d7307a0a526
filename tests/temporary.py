"""Stores that leave nothing behind: started as root, a database lives in /var/tmp, where no test runner tidies up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standalone import stores
from standalone.stores import StoreOptions, StoreUrls


@contextmanager
def temporary_stores(data: Path, options: StoreOptions) -> Iterator[StoreUrls]:
    """As `standalone.stores.running`; at the end the database is deleted, the folder stays."""
    try:
        with stores.running(data, options) as urls:
            yield urls
    finally:
        stores.remove(data)
