"""Parcels, their events, and what has become of each event's callback."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from simulators.courier.statuses import Status
from simulators.courier.wire import Event, NewShipment

_TABLES = """
CREATE TABLE IF NOT EXISTS shipment (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    waybill      TEXT UNIQUE,
    order_number TEXT NOT NULL UNIQUE,
    body         BLOB NOT NULL,     -- the request as JSON
    status       TEXT NOT NULL,
    moved_at     REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS event (
    id       TEXT PRIMARY KEY,
    waybill  TEXT NOT NULL REFERENCES shipment (waybill),
    sequence INTEGER NOT NULL,
    status   TEXT NOT NULL,
    at       TEXT NOT NULL,
    place    TEXT NOT NULL,
    note     TEXT NOT NULL,
    -- the callback:
    state    TEXT NOT NULL,
    next_at  REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    held     INTEGER NOT NULL DEFAULT 0,
    answer   TEXT NOT NULL DEFAULT '',
    UNIQUE (waybill, sequence)
);
CREATE INDEX IF NOT EXISTS event_due ON event (next_at) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS shipment_status ON shipment (status, moved_at);
"""
_SHIPMENT = "SELECT waybill, order_number, body, status, moved_at FROM shipment"
_EVENT = "SELECT id, waybill, sequence, status, at, place, note, state, next_at, attempts, answer FROM event"


class CallbackState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    LOST = "lost"
    GIVEN_UP = "given_up"


@dataclass(frozen=True)
class Shipment:
    waybill: str
    order_number: str
    request: NewShipment
    status: Status
    moved_at: float


@dataclass(frozen=True)
class EventRow:
    """An event with the state of its callback; `answer` is what the receiver last said."""

    id: str
    waybill: str
    event: Event
    state: CallbackState
    next_at: float
    attempts: int
    answer: str


class Store:
    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "courier.sqlite3", check_same_thread=False, isolation_level=None)
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

    def add(self, request: NewShipment, at: float) -> str:
        """The waybill number of a new parcel, without events yet."""
        row = self._db.execute(
            "INSERT INTO shipment (order_number, body, status, moved_at) VALUES (?, ?, ?, ?)",
            (request.order_number, msgspec.json.encode(request), Status.ACCEPTED, at),
        )
        waybill = f"YS{310_000_000_000 + (row.lastrowid or 0)}"
        self._db.execute("UPDATE shipment SET waybill = ? WHERE id = ?", (waybill, row.lastrowid))
        return waybill

    def by_order(self, order_number: str) -> Shipment | None:
        return self._one("WHERE order_number = ?", order_number)

    def by_waybill(self, waybill: str) -> Shipment | None:
        return self._one("WHERE waybill = ?", waybill)

    def _one(self, where: str, value: str) -> Shipment | None:
        row = self._db.execute(f"{_SHIPMENT} {where}", (value,)).fetchone()
        return _shipment(row) if row else None

    def search(self, statuses: tuple[Status, ...], text: str, limit: int) -> list[Shipment]:
        """Newest first; `text` is part of a waybill, order number, name, phone or address."""
        marks = ", ".join("?" * len(statuses))
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = self._db.execute(
            f"{_SHIPMENT} WHERE status IN ({marks}) AND (waybill LIKE ? ESCAPE '\\'"
            " OR CAST(body AS TEXT) LIKE ? ESCAPE '\\') ORDER BY id DESC LIMIT ?",
            (*statuses, pattern, pattern, limit),
        )
        return [_shipment(row) for row in rows]

    def counts(self) -> dict[Status, int]:
        rows = self._db.execute("SELECT status, count(*) FROM shipment GROUP BY status")
        return {Status(status): count for status, count in rows}

    def unmoved(self, statuses: tuple[Status, ...], since: float) -> list[Shipment]:
        """Parcels in one of these statuses that have not moved after `since`."""
        marks = ", ".join("?" * len(statuses))
        rows = self._db.execute(
            f"{_SHIPMENT} WHERE status IN ({marks}) AND moved_at <= ? ORDER BY moved_at LIMIT 500",
            (*statuses, since),
        )
        return [_shipment(row) for row in rows]

    def add_event(self, event_id: str, waybill: str, event: Event, moved_at: float) -> None:
        """The event and the parcel's new status; its callback is due at once."""
        self._db.execute(
            "INSERT INTO event (id, waybill, sequence, status, at, place, note, state, next_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
            (event_id, waybill, *msgspec.structs.astuple(event), moved_at),
        )
        self._db.execute(
            "UPDATE shipment SET status = ?, moved_at = ? WHERE waybill = ?",
            (event.status, moved_at, waybill),
        )

    def events(self, waybill: str) -> list[EventRow]:
        rows = self._db.execute(f"{_EVENT} WHERE waybill = ? ORDER BY sequence", (waybill,))
        return [_event(row) for row in rows]

    def due(self, now: float) -> list[EventRow]:
        """Callbacks to be sent, in their order."""
        rows = self._db.execute(
            f"{_EVENT} WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, waybill, sequence LIMIT 500",
            (now,),
        )
        return [_event(row) for row in rows]

    def schedule(self, event_id: str, next_at: float, *, held: bool = False) -> None:
        self._db.execute(
            "UPDATE event SET state = 'pending', next_at = ?, held = ? WHERE id = ?",
            (next_at, held, event_id),
        )

    def held(self, waybill: str) -> str | None:
        """The event whose callback waits for the next one of this parcel."""
        row = self._db.execute(
            "SELECT id FROM event WHERE waybill = ? AND held AND state = 'pending'", (waybill,)
        ).fetchone()
        return str(row[0]) if row else None

    def settle(self, event_id: str, state: CallbackState, attempts: int, answer: str) -> None:
        self._db.execute(
            "UPDATE event SET state = ?, attempts = ?, answer = ?, held = 0 WHERE id = ?",
            (state, attempts, answer, event_id),
        )

    def try_again(self, event_id: str, next_at: float, attempts: int, answer: str) -> None:
        self._db.execute(
            "UPDATE event SET next_at = ?, attempts = ?, answer = ?, held = 0 WHERE id = ?",
            (next_at, attempts, answer, event_id),
        )

    def restart_callback(self, event_id: str, now: float) -> None:
        """Send it again from the first attempt."""
        self._db.execute(
            "UPDATE event SET state = 'pending', next_at = ?, attempts = 0, held = 0 WHERE id = ?",
            (now, event_id),
        )


def _shipment(row: tuple[Any, ...]) -> Shipment:
    waybill, order_number, body, status, moved_at = row
    request = msgspec.json.decode(body, type=NewShipment)
    return Shipment(waybill, order_number, request, Status(status), moved_at)


def _event(row: tuple[Any, ...]) -> EventRow:
    event_id, waybill, sequence, status, at, place, note, state, next_at, attempts, answer = row
    event = Event(sequence, Status(status), at, place, note)
    return EventRow(event_id, waybill, event, CallbackState(state), next_at, attempts, answer)
