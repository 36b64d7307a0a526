"""Bills and the requests that made them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from simulators.ebill.wire import NewBill

_TABLES = """
CREATE TABLE IF NOT EXISTS bill (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    body       BLOB NOT NULL,       -- the request as JSON; a red bill has that of the one it reverses
    check_code TEXT NOT NULL,
    red_of     INTEGER UNIQUE,      -- at most one red bill for a bill
    reason     TEXT NOT NULL DEFAULT '',
    issued_at  TEXT NOT NULL
);
"""
_BILL = "SELECT number, request_id, body, check_code, red_of, reason, issued_at FROM bill"


@dataclass(frozen=True)
class Bill:
    """`red_of` is the number of the bill that this one reverses, None for an ordinary (blue) one."""

    number: int
    request_id: str
    request: NewBill
    check_code: str
    red_of: int | None
    reason: str
    issued_at: str


class Store:
    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "ebill.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is written whole or not at all. Nothing may be awaited inside."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add(
        self, request_id: str, body: NewBill, check_code: str, issued_at: str, *, red_of: int | None = None,
        reason: str = "",
    ) -> int:  # fmt: skip
        """The number of a new bill."""
        row = self._db.execute(
            "INSERT INTO bill (request_id, body, check_code, red_of, reason, issued_at) VALUES (?, ?, ?, ?, ?, ?)",
            (request_id, msgspec.json.encode(body), check_code, red_of, reason, issued_at),
        )
        return row.lastrowid or 0

    def by_request(self, request_id: str) -> Bill | None:
        return self._one("WHERE request_id = ?", request_id)

    def by_number(self, number: int) -> Bill | None:
        return self._one("WHERE number = ?", number)

    def red_of(self, number: int) -> Bill | None:
        return self._one("WHERE red_of = ?", number)

    def _one(self, where: str, value: str | int) -> Bill | None:
        row = self._db.execute(f"{_BILL} {where}", (value,)).fetchone()
        if row is None:
            return None
        number, request_id, body, check_code, red_of, reason, issued_at = row
        return Bill(
            number, request_id, msgspec.json.decode(body, type=NewBill), check_code, red_of, reason, issued_at
        )
