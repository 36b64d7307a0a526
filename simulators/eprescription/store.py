"""Prescriptions the centre knows."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS rx (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    ours    TEXT NOT NULL UNIQUE,            -- the hospital's number
    body    TEXT NOT NULL,                   -- as pre-checked, to tell a repetition from another prescription
    trace   TEXT NOT NULL,
    stage   TEXT NOT NULL,                   -- checked, signed, uploaded, undone
    digest  TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS sheet (
    rx      INTEGER PRIMARY KEY,
    pdf     BLOB NOT NULL
);
"""


@dataclass(frozen=True)
class Rx:
    id: int
    ours: str
    body: str
    trace: str
    stage: str
    digest: str

    @property
    def number(self) -> str:
        return f"HI{self.id:018d}"


class Store:
    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "epc.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def add(self, ours: str, body: str, trace: str) -> Rx:
        self._db.execute(
            "INSERT INTO rx (ours, body, trace, stage) VALUES (?, ?, ?, 'checked')", (ours, body, trace)
        )
        found = self.by_ours(ours)
        assert found is not None
        return found

    def move(self, rx: Rx, stage: str, digest: str = "") -> None:
        self._db.execute(
            "UPDATE rx SET stage = ?, digest = CASE WHEN ? = '' THEN digest ELSE ? END WHERE id = ?",
            (stage, digest, digest, rx.id),
        )

    def keep_sheet(self, rx: Rx, pdf: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO sheet (rx, pdf) VALUES (?, ?)", (rx.id, pdf))

    def sheet(self, rx: Rx) -> bytes:
        """Empty when it was not signed here."""
        row = self._db.execute("SELECT pdf FROM sheet WHERE rx = ?", (rx.id,)).fetchone()
        return bytes(row[0]) if row else b""

    def by_ours(self, ours: str) -> Rx | None:
        return self._one("ours = ?", ours)

    def by_number(self, number: str) -> Rx | None:
        return self._one("id = ?", number.removeprefix("HI").lstrip("0") or "0")

    def all(self) -> list[Rx]:
        rows = self._db.execute("SELECT id, ours, body, trace, stage, digest FROM rx ORDER BY id").fetchall()
        return [Rx(*row) for row in rows]

    def _one(self, where: str, value: str) -> Rx | None:
        row = self._db.execute(
            f"SELECT id, ours, body, trace, stage, digest FROM rx WHERE {where}", (value,)
        ).fetchone()
        return Rx(*row) if row else None
