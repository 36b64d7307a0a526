"""Resources in one sqlite file, with every version kept and an index for what is searched often."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from simulators.his.elements import index_entries, patient_of, values_at
from simulators.his.moments import FOREVER, span_of_value
from simulators.his.outcomes import Json
from simulators.his.parameters import DAY_OF, PARAMETERS

_SCHEMA = """
CREATE TABLE resource (
    row INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated TEXT NOT NULL,
    patient TEXT NOT NULL, starts REAL, ends REAL, own INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE entry (type TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, row INTEGER NOT NULL);
CREATE TABLE former (type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (type, id, version)) WITHOUT ROWID;
CREATE TABLE received (sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, action TEXT NOT NULL, type TEXT NOT NULL,
    id TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_INDEXES = """
CREATE UNIQUE INDEX resource_id ON resource (type, id);
CREATE INDEX resource_patient ON resource (patient, type, starts);
CREATE INDEX resource_day ON resource (type, starts);
CREATE INDEX entry_value ON entry (type, name, value);
CREATE INDEX entry_row ON entry (row);
"""
_INSERT = "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_BATCH = 5_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class Stored:
    """`own`: the hospital recorded it itself; otherwise it was written back."""

    row: int
    version: int
    own: bool
    body: bytes

    def resource(self) -> Json:
        return _decode(self.body)


@dataclass(frozen=True, slots=True)
class Clue:
    """What a search parameter asks for, in the spelling of the index: any of `values`."""

    name: str
    values: tuple[str, ...]


class Store:
    """One connection, used by one thread; every change in a transaction."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=NORMAL")

    @classmethod
    def create(cls, path: Path) -> "Store":
        """A new store for a bulk load: no indexes, no journal. `finish` adds both."""
        store = cls(path)
        store._db.execute("PRAGMA journal_mode=OFF")
        store._db.execute("PRAGMA synchronous=OFF")
        store._db.executescript(_SCHEMA)
        return store

    def finish(self) -> None:
        self._db.executescript(_INDEXES)
        self._db.execute("PRAGMA journal_mode=WAL")

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one it belongs to that."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # reading

    def gather(self, kind: str, clues: Sequence[Clue], low: float, high: float) -> list[tuple[int, bytes]]:
        """What may fit all of `clues` and the days, and is kept elsewhere than in the tables: nothing here."""
        return []

    def knows(self, kind: str, identifier: str) -> bool:
        """Whether something of this type bears this identifier, whatever its system."""
        return bool(self.of_entries(kind, "identifier", [identifier]))

    def get(self, kind: str, id: str) -> Stored | None:
        found = self._db.execute(
            "SELECT row, version, own, body FROM resource WHERE type = ? AND id = ?", (kind, id)
        ).fetchone()
        return Stored(found[0], found[1], bool(found[2]), found[3]) if found else None

    def by_row(self, row: int) -> Stored:
        found = self._db.execute("SELECT version, own, body FROM resource WHERE row = ?", (row,)).fetchone()
        return Stored(row, found[0], bool(found[1]), found[2])

    def get_version(self, kind: str, id: str, version: int) -> bytes | None:
        current = self.get(kind, id)
        if current is not None and current.version == version:
            return current.body
        found = self._db.execute(
            "SELECT body FROM former WHERE type = ? AND id = ? AND version = ?", (kind, id, version)
        ).fetchone()
        return found[0] if found else None

    def exists(self, kind: str, id: str) -> bool:
        return bool(
            self._db.execute("SELECT 1 FROM resource WHERE type = ? AND id = ?", (kind, id)).fetchone()
        )

    def bodies(self, rows: Sequence[int]) -> dict[int, bytes]:
        return {
            row: body
            for start in range(0, len(rows), 500)
            for row, body in self._db.execute(
                f"SELECT row, body FROM resource WHERE row IN ({_marks(rows[start : start + 500])})",
                rows[start : start + 500],
            )
        }

    def of_type(
        self, kind: str, starts_before: float = FOREVER, ends_after: float = -FOREVER
    ) -> list[tuple[int, bytes]]:
        """Everything of a type whose day may lie in the range; what has no day is always among it."""
        return self._db.execute(
            "SELECT row, body FROM resource WHERE type = ? AND (starts IS NULL OR (starts <= ? AND ends >= ?)) ORDER BY row",
            (kind, starts_before, ends_after),
        ).fetchall()

    def of_patients(self, kind: str, patients: Sequence[str]) -> list[tuple[int, bytes]]:
        return self._db.execute(
            f"SELECT row, body FROM resource WHERE patient IN ({_marks(patients)}) AND type = ? ORDER BY row",
            (*patients, kind),
        ).fetchall()

    def of_ids(self, kind: str, ids: Sequence[str]) -> list[tuple[int, bytes]]:
        return self._db.execute(
            f"SELECT row, body FROM resource WHERE type = ? AND id IN ({_marks(ids)}) ORDER BY row",
            (kind, *ids),
        ).fetchall()

    def of_entries(
        self, kind: str, name: str, values: Sequence[str], *, starts_with: bool = False
    ) -> list[tuple[int, bytes]]:
        """By the index of one parameter."""
        if starts_with:
            which = " OR ".join("(value >= ? AND value < ?)" for _ in values)
            bound = [text for value in values for text in (value, value + "\U0010ffff")]
        else:
            which, bound = f"value IN ({_marks(values)})", list(values)
        return self._db.execute(
            "SELECT row, body FROM resource WHERE row IN "
            f"(SELECT row FROM entry WHERE type = ? AND name = ? AND ({which})) ORDER BY row",
            (kind, name, *bound),
        ).fetchall()

    def another_patient_with(self, kind: str, patients: Sequence[str]) -> str | None:
        """Somebody else who has resources of this type."""
        found = self._db.execute(
            f"SELECT patient FROM resource WHERE type = ? AND patient != '' AND patient NOT IN ({_marks(patients)}) LIMIT 1",
            (kind, *patients),
        ).fetchone()
        return found[0] if found else None

    # writing

    def add(self, resource: Json, updated: str, *, own: bool = False) -> Stored:
        """Version 1 of a resource that has its id. Sets `meta`."""
        with self.transaction():
            prepared = _prepared(resource, 1, updated, own)
            row = self._db.execute(_INSERT, (None, *prepared)).lastrowid
            assert row is not None
            self._add_entries(row, resource)
        return Stored(row, 1, own, prepared[-1])

    def replace(self, before: Stored, resource: Json, updated: str, *, own: bool = False) -> Stored:
        """The next version of a resource. Sets `meta`."""
        version = before.version + 1
        with self.transaction():
            kind, name, *rest = _prepared(resource, version, updated, own)
            self._db.execute(
                "INSERT INTO former VALUES (?, ?, ?, ?)", (kind, name, before.version, before.body)
            )
            self._db.execute(
                "UPDATE resource SET version = ?, updated = ?, patient = ?, starts = ?, ends = ?, own = ?, body = ? WHERE row = ?",
                (*rest, before.row),
            )
            self._db.execute("DELETE FROM entry WHERE row = ?", (before.row,))
            self._add_entries(before.row, resource)
        return Stored(before.row, version, own, rest[-1])

    def load(self, resources: Iterable[Json], updated: str, first: int = 0) -> int:
        """The hospital's own resources, many at once, in rows from `first` or after the last; gives their number."""
        first = first or (self._db.execute("SELECT max(row) FROM resource").fetchone()[0] or 0) + 1
        number = first
        rows: list[tuple[Any, ...]] = []
        entries: list[tuple[str, str, str, int]] = []
        with self.transaction():
            for resource in resources:
                kind = resource["resourceType"]
                rows.append((number, *_prepared(resource, 1, updated, True)))
                entries += [(kind, name, value, number) for name, value in index_entries(resource)]
                number += 1
                if len(rows) == _BATCH:
                    self._insert_many(rows, entries)
            self._insert_many(rows, entries)
        return number - first

    def note(self, at: str, action: str, kind: str, id: str, stored: Stored) -> None:
        """One line of what was written back."""
        self._db.execute(
            "INSERT INTO received VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            (at, action, kind, id, stored.version, stored.body),
        )

    def received(self, kind: str = "", after: int = 0) -> list[Json]:
        return [
            {"sequence": row[0], "at": row[1], "action": row[2], "type": row[3], "id": row[4], "version": row[5], "resource": _decode(row[6])}
            for row in self._db.execute(
                "SELECT * FROM received WHERE sequence > ? AND (? = '' OR type = ?) ORDER BY sequence", (after, kind, kind)
            )
        ]  # fmt: skip

    def fact(self, name: str) -> str:
        found = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return found[0] if found else ""

    def set_fact(self, name: str, value: str) -> None:
        self._db.execute(
            "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def _add_entries(self, row: int, resource: Json) -> None:
        kind = resource["resourceType"]
        self._db.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?)",
            [(kind, name, value, row) for name, value in index_entries(resource)],
        )

    def _insert_many(self, rows: list[tuple[Any, ...]], entries: list[tuple[str, str, str, int]]) -> None:
        self._db.executemany(_INSERT, rows)
        self._db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)
        rows.clear()
        entries.clear()


def _prepared(resource: Json, version: int, updated: str, own: bool) -> tuple[Any, ...]:
    """The columns after `row`; puts version and time into the resource."""
    kind = resource["resourceType"]
    body = encoded(resource, version, updated)
    starts = ends = None
    if (name := DAY_OF.get(kind)) is not None:
        value = next(values_at(resource, PARAMETERS[kind][name].path), None)
        if (span := span_of_value(value)) is not None:
            starts, ends = span
    return (
        kind,
        resource["id"],
        version,
        updated,
        patient_of(resource),
        starts,
        ends,
        int(own),
        body,
    )


def encoded(resource: Json, version: int, updated: str) -> bytes:
    """The resource with version and time put into it."""
    meta = resource.get("meta")
    resource["meta"] = {
        **(meta if isinstance(meta, dict) else {}),
        "versionId": str(version),
        "lastUpdated": updated,
    }
    return _encode(resource)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
