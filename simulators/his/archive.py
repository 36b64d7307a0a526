"""Where a large hospital keeps whose record: an index over `residents.json`, which has one entry a line.

Ten million resources take minutes to write and twelve gigabytes to keep; a resident's are asked for together or not at all. So the index says
only where in the file her entry begins, by number, card, name, phone, birth date, every paper's number and the days of her visits.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulators.his.world import Resident, WorldError

_SCHEMA = """
CREATE TABLE resident (place INTEGER PRIMARY KEY, start INTEGER NOT NULL, length INTEGER NOT NULL, card TEXT NOT NULL,
    name TEXT NOT NULL, given TEXT NOT NULL, phone TEXT NOT NULL, birth TEXT NOT NULL);
CREATE TABLE paper (id TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE visit_days (low TEXT NOT NULL, high TEXT NOT NULL, place INTEGER NOT NULL);
"""
_INDEXES = """
CREATE INDEX resident_card ON resident (card);
CREATE INDEX resident_name ON resident (name);
CREATE INDEX resident_given ON resident (given);
CREATE INDEX resident_phone ON resident (phone);
CREATE INDEX resident_birth ON resident (birth);
CREATE INDEX visit_days_low ON visit_days (low, high, place);
"""
_BATCH = 1_000
_STEPS = 10


class _Paper(msgspec.Struct):
    id: str
    date: str


class _Visit(msgspec.Struct):
    id: str
    date: str
    discharged_on: str = ""
    prescriptions: list[_Paper] = []
    reports: list[_Paper] = []

    def days(self) -> list[str]:
        papers = [one.date for one in (*self.prescriptions, *self.reports)]
        return [self.date, self.discharged_on or self.date, *papers]

    def numbers(self) -> list[str]:
        return [self.id, *(one.id for one in (*self.prescriptions, *self.reports))]


class _Entry(msgspec.Struct):
    """What the index needs of a resident; the rest of the line is passed over."""

    id: str
    name: str
    birth_date: str
    id_number: str
    phone: str
    visits: list[_Visit] = []
    former_ids: list[str] = []


def build(
    db: sqlite3.Connection, path: Path, number: int, say: Callable[[str], None], stop: Callable[[], None]
) -> None:
    """Tables and indexes over the `number` residents in `path`; `stop` raises when it is to be given up. Raises WorldError."""
    db.executescript(_SCHEMA)
    db.execute("BEGIN")
    residents: list[tuple[Any, ...]] = []
    papers: list[tuple[str, int]] = []
    days: list[tuple[str, str, int]] = []
    step = max(1, number // _STEPS)
    for place, (start, length, one) in enumerate(_entries(path), 1):
        given = one.name[1:].lower()
        residents.append((place, start, length, one.id_number, one.name.lower(), given, one.phone, one.birth_date))  # fmt: skip
        papers += [(text, place) for text in (one.id, *one.former_ids)]
        for visit in one.visits:
            papers += [(text, place) for text in visit.numbers()]
            within = visit.days()
            days.append((min(within), max(within), place))
        if len(residents) == _BATCH:
            _insert(db, residents, papers, days)
            stop()
        if place % step == 0:
            say(f"{place} of {number} residents indexed")
    _insert(db, residents, papers, days)
    db.execute("COMMIT")
    db.executescript(_INDEXES)


def _insert(
    db: sqlite3.Connection,
    residents: list[tuple[Any, ...]],
    papers: list[tuple[str, int]],
    days: list[tuple[str, str, int]],
) -> None:
    db.executemany("INSERT INTO resident VALUES (?, ?, ?, ?, ?, ?, ?, ?)", residents)
    try:
        db.executemany("INSERT INTO paper VALUES (?, ?)", papers)
    except sqlite3.IntegrityError:
        raise WorldError("HIS_WORLD cannot be used: residents.json gives one number twice") from None
    db.executemany("INSERT INTO visit_days VALUES (?, ?, ?)", days)
    for rows in (residents, papers, days):
        rows.clear()


def _entries(path: Path) -> Iterator[tuple[int, int, _Entry]]:
    """Where each entry stands, and what the index needs of it."""
    decode = msgspec.json.Decoder(_Entry).decode
    start = 0
    try:
        with path.open("rb", buffering=1 << 20) as file:
            for line in file:
                entry = line.rstrip(b",\r\n ")
                if entry not in (b"[", b"]", b""):
                    yield start, len(entry), decode(entry)
                start += len(line)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise WorldError(f"HIS_WORLD cannot be used: {path}: at byte {start}: {problem}") from None


class Shelf:
    """The file itself, open; a resident's entry is read when it is needed."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        wanted_soon(self._file)
        self._decode = msgspec.json.Decoder(Resident).decode

    def resident(self, start: int, length: int) -> Resident:
        """The entry that begins there."""
        return self._decode(os.pread(self._file, length, start))

    def close(self) -> None:
        os.close(self._file)


def wanted_soon(file: int) -> None:
    """Have the system read an open file ahead, so that not every first question waits for the disk."""
    if hasattr(os, "posix_fadvise"):  # Linux
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)


def prefixes(id: str) -> list[str]:
    """Numbers that a resource's id may begin with: its own, and what stands before each dash (`V00000001-2` is of the visit)."""
    parts = id.split("-")
    return ["-".join(parts[:end]) for end in range(1, min(len(parts), 8) + 1)]


def marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
