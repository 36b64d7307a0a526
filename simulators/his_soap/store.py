"""What the hospital has, in one sqlite file: entries of a kind, and the external numbers they were written under."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simulators.his_soap.messages import Tree

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (kind TEXT NOT NULL, number TEXT NOT NULL, patient TEXT NOT NULL, key TEXT NOT NULL,
    at TEXT NOT NULL, outer TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_patient ON entry (kind, patient, at);
CREATE INDEX IF NOT EXISTS entry_key ON entry (kind, key);
CREATE INDEX IF NOT EXISTS entry_at ON entry (kind, at);
CREATE INDEX IF NOT EXISTS entry_outer ON entry (outer) WHERE outer != '';
CREATE TABLE IF NOT EXISTS written (outer TEXT PRIMARY KEY, trade TEXT NOT NULL, patient TEXT NOT NULL, number TEXT NOT NULL,
    at TEXT NOT NULL, parts TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = "number, patient, key, at, outer, body"


@dataclass
class Entry:
    """`key` is what it is looked up by: card of a patient, appointment of a visit or booking, department of a slot."""

    kind: str
    number: str
    patient: str
    body: Tree
    key: str = ""
    at: str = ""
    outer: str = ""


@dataclass(frozen=True)
class Written:
    """What an external number stands for."""

    outer: str
    trade: str
    patient: str
    number: str
    at: str
    parts: list[str] = field(default_factory=list)


class Store:
    """One connection, used by one thread; `:memory:` for a store of nobody's."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def put(self, entries: Iterable[Entry]) -> None:
        """New, or in place of the one with its number."""
        self._db.executemany(
            f"INSERT OR REPLACE INTO entry (kind, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    one.kind,
                    one.number,
                    one.patient,
                    one.key,
                    one.at,
                    one.outer,
                    json.dumps(one.body, ensure_ascii=False),
                )
                for one in entries
            ),
        )

    def get(self, kind: str, number: str) -> Entry | None:
        return next(iter(self._found(kind, "number = ?", number)), None)

    def by_key(self, kind: str, key: str) -> list[Entry]:
        return self._found(kind, "key = ?", key)

    def by_outer(self, kind: str, outer: str) -> list[Entry]:
        return self._found(kind, "outer = ?", outer)

    def of_patient(self, kind: str, patient: str, since: str = "") -> list[Entry]:
        return self._found(kind, "patient = ? AND at >= ?", patient, since)

    def between(self, kind: str, since: str, until: str) -> list[Entry]:
        return self._found(kind, "at >= ? AND at < ?", since, until)

    def somebody_else(self, kind: str, patient: str) -> str:
        """Another patient who has something of this kind; empty when there is nobody."""
        found = self._db.execute(
            "SELECT patient FROM entry WHERE kind = ? AND patient NOT IN (?, '') LIMIT 1", (kind, patient)
        ).fetchone()
        return found[0] if found else ""

    def written(self, outer: str) -> Written | None:
        found = self._db.execute("SELECT * FROM written WHERE outer = ?", (outer,)).fetchone()
        if found is None:
            return None
        number, trade, patient, record, at, parts = found
        return Written(number, trade, patient, record, at, json.loads(parts))

    def note(self, one: Written) -> None:
        self._db.execute(
            "INSERT INTO written VALUES (?, ?, ?, ?, ?, ?)",
            (one.outer, one.trade, one.patient, one.number, one.at, json.dumps(one.parts)),
        )

    def next_number(self, prefix: str) -> str:
        """The next of this hospital's own numbers."""
        last = int(self.fact(f"last_{prefix}") or 0) + 1
        self.set_fact(f"last_{prefix}", str(last))
        return f"{prefix}{last:08}"

    def fact(self, name: str) -> str:
        found = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return found[0] if found else ""

    def set_fact(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _found(self, kind: str, where: str, *values: str) -> list[Entry]:
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM entry WHERE kind = ? AND {where} ORDER BY at, number", (kind, *values)
        )
        return [
            Entry(kind, number, patient, json.loads(body), key, at, outer)
            for number, patient, key, at, outer, body in rows
        ]
