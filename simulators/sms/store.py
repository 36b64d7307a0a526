"""Messages taken."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS message (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    body       BLOB NOT NULL,   -- the request as it came, to tell a repetition from another message
    phone      TEXT NOT NULL,
    template   TEXT NOT NULL,
    text       TEXT NOT NULL,
    taken_at   REAL NOT NULL,
    outcome    TEXT NOT NULL    -- what becomes of it: delivered or undelivered
);
CREATE INDEX IF NOT EXISTS message_phone ON message (phone, id);
"""
_MESSAGE = "SELECT id, request_id, body, phone, template, text, taken_at, outcome FROM message"


@dataclass(frozen=True)
class Message:
    id: int
    request_id: str
    body: bytes
    phone: str
    template: str
    text: str
    taken_at: float
    outcome: str


class Store:
    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "sms.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def add(
        self, request_id: str, body: bytes, phone: str, template: str, text: str, at: float, outcome: str
    ) -> Message:
        row = self._db.execute(
            "INSERT INTO message (request_id, body, phone, template, text, taken_at, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (request_id, body, phone, template, text, at, outcome),
        )
        return Message(row.lastrowid or 0, request_id, body, phone, template, text, at, outcome)

    def by_request(self, request_id: str) -> Message | None:
        return self._one("WHERE request_id = ?", request_id)

    def by_id(self, number: int) -> Message | None:
        return self._one("WHERE id = ?", number)

    def of_phone(self, phone: str) -> list[Message]:
        rows = self._db.execute(f"{_MESSAGE} WHERE phone = ? ORDER BY id DESC LIMIT 100", (phone,))
        return [Message(*row) for row in rows.fetchall()]

    def newest(self) -> list[Message]:
        return [
            Message(*row) for row in self._db.execute(f"{_MESSAGE} ORDER BY id DESC LIMIT 100").fetchall()
        ]

    def _one(self, where: str, value: str | int) -> Message | None:
        row = self._db.execute(f"{_MESSAGE} {where}", (value,)).fetchone()
        return None if row is None else Message(*row)
