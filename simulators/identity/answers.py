"""Answers already given, kept so that the same request gets the same one again."""

import hashlib
import sqlite3
from pathlib import Path

import msgspec

_TABLE = """
CREATE TABLE IF NOT EXISTS answer (
    request_id TEXT PRIMARY KEY,
    asked      TEXT NOT NULL,  -- hash of what was asked: no name or number is kept
    serial     TEXT NOT NULL,
    result     TEXT NOT NULL,
    checked_at TEXT NOT NULL
)
"""


class Answer(msgspec.Struct, frozen=True):
    request_id: str
    serial: str
    result: str
    checked_at: str


class Answers:
    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "answers.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(_TABLE)

    def find(self, request_id: str) -> tuple[Answer, str] | None:
        """The answer given to this request, and the hash of what was asked."""
        row = self._db.execute(
            "SELECT request_id, serial, result, checked_at, asked FROM answer WHERE request_id = ?",
            (request_id,),
        ).fetchone()
        return (Answer(*row[:4]), row[4]) if row else None

    def keep(self, answer: Answer, asked: str) -> None:
        self._db.execute(
            "INSERT INTO answer (request_id, asked, serial, result, checked_at) VALUES (?, ?, ?, ?, ?)",
            (answer.request_id, asked, answer.serial, answer.result, answer.checked_at),
        )

    def close(self) -> None:
        self._db.close()


def digest(name: str, id_number: str) -> str:
    return hashlib.sha256(f"{name}\n{id_number}".encode()).hexdigest()
