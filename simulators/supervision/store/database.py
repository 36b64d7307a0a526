"""Opens the file, makes the tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulators.supervision.store.console_schema import ADDED, CONSOLE_SCHEMA
from simulators.supervision.store.schema import SCHEMA
from simulators.supervision.store.upgrade import upgrade


class Database:
    """`writer` belongs to the event loop's thread; `reading()` opens a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "supervision.sqlite3"
        # Requests are handled in the loop's thread alone, tests build the object in another one.
        self.writer = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self.writer.row_factory = sqlite3.Row
        self.writer.execute("PRAGMA journal_mode = WAL")
        self.writer.execute(
            "PRAGMA synchronous = NORMAL"
        )  # a killed process loses nothing; a power cut might
        self.make_tables()

    def make_tables(self) -> None:
        """What is there stays; a file of an older version gets what it lacks."""
        upgrade(self.writer)
        for table, column, kind, then in ADDED:
            there = {row["name"] for row in self.writer.execute(f"PRAGMA table_info({table})")}
            if there and column not in there:
                with self.transaction() as connection:
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
                    if then:
                        connection.execute(then)
        self.writer.executescript(SCHEMA + CONSOLE_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self.writer.execute("BEGIN IMMEDIATE")
        try:
            yield self.writer
        except BaseException:
            self.writer.execute("ROLLBACK")
            raise
        self.writer.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN")  # one snapshot for all reads of a page
            yield connection
        finally:
            connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction of the console's, on a connection of its own: from any thread, after whoever writes now."""
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()  # takes back what was not committed

    def close(self) -> None:
        self.writer.close()
