"""Who is in the laboratory's and the radiology's own lists, and what was found: one sqlite file, made from the world once."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (number TEXT PRIMARY KEY, name TEXT, sex TEXT, birth TEXT);
CREATE TABLE IF NOT EXISTS report (id TEXT, number TEXT, category TEXT, day TEXT, body BLOB);
CREATE INDEX IF NOT EXISTS report_of ON report (number, category, day);
CREATE TABLE IF NOT EXISTS ordered (control TEXT PRIMARY KEY, answer BLOB);
CREATE TABLE IF NOT EXISTS item (placer TEXT PRIMARY KEY, filler TEXT, system TEXT, number TEXT, code TEXT, name TEXT, site TEXT,
    doctor TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT);
"""


class _Item(msgspec.Struct):
    code: str
    name: str
    value: str
    unit: str = ""
    low: str = ""
    high: str = ""
    flag: str = ""


class _Report(msgspec.Struct):
    id: str
    date: str
    panel: str
    name: str
    category: str
    conclusion: str
    items: list[_Item] = []


class _Visit(msgspec.Struct):
    held_under: str = ""
    reports: list[_Report] = []


class _Resident(msgspec.Struct):
    id: str
    name: str
    sex: str
    birth_date: str
    former_ids: list[str] = []
    visits: list[_Visit] = []


class Records:
    """One connection, one thread."""

    def __init__(self, world: Path, data: Path) -> None:
        self._db = sqlite3.connect(data / "lis_ris.sqlite", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_SCHEMA)
        self._load(world)

    def close(self) -> None:
        self._db.close()

    def _load(self, world: Path) -> None:
        """Once for each world: its own description is remembered."""
        made = (world / "world.json").read_text(encoding="utf-8")
        row = self._db.execute("SELECT value FROM fact WHERE name = 'world'").fetchone()
        if row and row[0] == made:
            return
        decode = msgspec.json.Decoder(_Resident).decode
        with self.transaction():
            for table in ("person", "report", "ordered", "item", "fact"):
                self._db.execute(f"DELETE FROM {table}")
            for raw in msgspec.json.decode((world / "residents.json").read_bytes(), type=list[msgspec.Raw]):
                self._add(decode(raw))
            self._db.execute("INSERT INTO fact VALUES ('world', ?)", (made,))

    def _add(self, one: _Resident) -> None:
        """Only those for whom something was found have a place here, under the number of that day."""
        for visit in one.visits:
            number = visit.held_under or one.id
            for report in visit.reports:
                self._db.execute(
                    "INSERT OR IGNORE INTO person VALUES (?, ?, ?, ?)",
                    (number, one.name, one.sex, one.birth_date),
                )
                self.add_report(number, msgspec.to_builtins(report))

    def add_report(self, number: str, report: Json) -> None:
        self._db.execute(
            "INSERT INTO report VALUES (?, ?, ?, ?, ?)",
            (
                report["id"],
                number,
                report["category"],
                report["date"],
                json.dumps(report, ensure_ascii=False),
            ),
        )

    def add_person(self, number: str, name: str, sex: str, birth: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO person VALUES (?, ?, ?, ?)", (number, name, sex, birth))

    @contextlib.contextmanager
    def transaction(self) -> Any:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def person(self, number: str) -> tuple[str, str, str, str] | None:
        row: tuple[str, str, str, str] | None = self._db.execute(
            "SELECT number, name, sex, birth FROM person WHERE number = ?", (number,)
        ).fetchone()
        return row

    def somebody_else(self, numbers: list[str]) -> str:
        """Another person with results of both kinds if there is one."""
        marks = ",".join("?" * len(numbers))
        row = self._db.execute(
            f"SELECT number FROM report WHERE number NOT IN ({marks}) GROUP BY number ORDER BY count(DISTINCT category) DESC",
            numbers,
        ).fetchone()
        return str(row[0]) if row else ""

    def reports(self, numbers: list[str], category: str, day: str) -> list[tuple[str, Json]]:
        marks = ",".join("?" * len(numbers))
        rows = self._db.execute(
            f"SELECT number, body FROM report WHERE number IN ({marks}) AND category = ? AND day >= ? ORDER BY number, day, rowid",
            (*numbers, category, day),
        )
        return [(number, json.loads(body)) for number, body in rows]

    def answer_to(self, control: str) -> bytes | None:
        row = self._db.execute("SELECT answer FROM ordered WHERE control = ?", (control,)).fetchone()
        return bytes(row[0]) if row else None

    def remember(self, control: str, answer: bytes) -> None:
        self._db.execute("INSERT INTO ordered VALUES (?, ?)", (control, answer))

    def take(self, placer: str, fields: tuple[str, ...]) -> str:
        """A new item; the number that it has here."""
        count = self._db.execute("SELECT count(*) FROM item").fetchone()[0]
        filler = f"F{count + 1:07d}"
        self._db.execute(
            "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'ordered')", (placer, filler, *fields)
        )
        return filler

    def item(self, placer: str) -> tuple[str, str] | None:
        """Our number and the state."""
        row: tuple[str, str] | None = self._db.execute(
            "SELECT filler, state FROM item WHERE placer = ?", (placer,)
        ).fetchone()
        return row

    def set_state(self, placer: str, state: str) -> None:
        self._db.execute("UPDATE item SET state = ? WHERE placer = ?", (state, placer))

    def items(self) -> list[Json]:
        cursor = self._db.execute("SELECT * FROM item ORDER BY filler")
        names = [one[0] for one in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]
