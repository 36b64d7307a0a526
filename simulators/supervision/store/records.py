"""Writing and finding records, counts, refusals, nonces and sign-ins."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulators.supervision.business import Keys
from simulators.supervision.times import from_store, utc_text

REFUSALS_KEPT = 10_000


@dataclass(frozen=True)
class Stored:
    id: int
    receipt: str | None
    visit_no: str | None
    received_at: datetime


def nonce_is_new(connection: sqlite3.Connection, nonce: str, now_ms: int, kept_ms: int) -> bool:
    """Remembers it for `kept_ms`, in which its time stamp may still pass."""
    connection.execute("DELETE FROM nonces WHERE at_ms < ?", (now_ms - kept_ms,))
    added = connection.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", (nonce, now_ms))
    return added.rowcount == 1


def store(
    connection: sqlite3.Connection,
    *,
    profile: str,
    method: str,
    keys: Keys,
    body: Mapping[str, Any],
    request_digest: str,
    duplicate: bool,
    received_at: datetime,
    name: str | None,
    prefix: str,
) -> Stored:
    """`name` is what the sender calls it, where it may come only once; `prefix` of the receipt, empty where there is none."""
    cursor = connection.execute(
        "INSERT INTO records (profile, method, business_no, visit_no, event_id, event_type, doctor_id, "
        "patient_id, occurred_at, received_at, request_digest, duplicate, body, kind, organ_id, dept_id, reviewer_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (profile, method, keys.business_no, keys.visit_no, name, keys.event_type,
         keys.doctor_id, keys.patient_id, keys.occurred_at, utc_text(received_at), request_digest,
         int(duplicate), _json(body), keys.kind, keys.organ_id, keys.dept_id, keys.reviewer_id),
    )  # fmt: skip
    number = cursor.lastrowid
    assert number is not None
    day = from_store(utc_text(received_at))
    receipt = f"{prefix}{day:%Y%m%d}{number:012d}" if prefix else None
    if receipt:
        connection.execute("UPDATE records SET receipt = ? WHERE id = ?", (receipt, number))
    visit_no = _join_visit(connection, number, keys)
    return Stored(number, receipt, visit_no, received_at)


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _join_visit(connection: sqlite3.Connection, record_id: int, keys: Keys) -> str | None:
    """The record's visit. An eligibility comes before there is a number, a payment knows its prescription only."""
    visit = keys.visit_no
    for number in keys.numbers:
        if visit is None:
            found = connection.execute(
                "SELECT visit_no FROM joins WHERE number = ? AND visit_no IS NOT NULL LIMIT 1", (number,)
            ).fetchone()
            visit = found["visit_no"] if found else None
        else:
            for table, column in (("records", "id"), ("alerts", "record_id")):
                # The plus keeps the search to the few that share the number: many a record belongs to no visit.
                connection.execute(
                    f"UPDATE {table} SET visit_no = ? WHERE +visit_no IS NULL AND {column} IN "
                    "(SELECT record_id FROM joins WHERE number = ?)",
                    (visit, number),
                )
    connection.executemany(
        "INSERT OR IGNORE INTO joins VALUES (?, ?, ?)",
        [(number, record_id, visit) for number in keys.numbers],
    )
    if visit and keys.visit_no is None:
        connection.execute("UPDATE records SET visit_no = ? WHERE id = ?", (visit, record_id))
    return visit


def find_event(connection: sqlite3.Connection, event_id: str, method: str) -> Stored | None:
    row = connection.execute(
        "SELECT id, receipt, visit_no, received_at FROM records WHERE event_id = ? AND method = ?",
        (event_id, method),
    ).fetchone()
    return Stored(row["id"], row["receipt"], row["visit_no"], from_store(row["received_at"])) if row else None


def was_reported(
    connection: sqlite3.Connection, method: str, business_no: str, body: Mapping[str, Any]
) -> bool:
    """The number came before; a catalogue entry may change, so there the same content counts."""
    bodies = connection.execute(
        "SELECT body FROM records WHERE method = ? AND business_no = ?", (method, business_no)
    )
    if method != "uploadDrugCatalogue":
        return bodies.fetchone() is not None
    text = _json(body)
    return any(row["body"] == text for row in bodies)


def know(connection: sqlite3.Connection, numbers: Iterable[tuple[str, str, str]]) -> None:
    connection.executemany(
        "INSERT INTO known VALUES (?, ?, ?) ON CONFLICT (kind, number) DO UPDATE SET value = excluded.value",
        numbers,
    )


def count(connection: sqlite3.Connection, profile: str, method: str, outcome: str) -> None:
    connection.execute(
        "INSERT INTO counts VALUES (?, ?, ?, 1) "
        "ON CONFLICT (profile, method, outcome) DO UPDATE SET number = number + 1",
        (profile, method, outcome),
    )


def counted(connection: sqlite3.Connection, profile: str, method: str, outcome: str) -> int:
    row = connection.execute(
        "SELECT number FROM counts WHERE profile = ? AND method = ? AND outcome = ?",
        (profile, method, outcome),
    ).fetchone()
    return int(row["number"]) if row else 0


def refuse(
    connection: sqlite3.Connection,
    *,
    at: datetime,
    profile: str,
    method: str,
    code: int,
    reason: str,
    event_id: str | None = None,
    position: int | None = None,
) -> None:
    cursor = connection.execute(
        "INSERT INTO refusals (at, profile, method, code, reason, event_id, position) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (utc_text(at), profile, method, code, reason, event_id, position),
    )
    if cursor.lastrowid and cursor.lastrowid % 1000 == 0:
        connection.execute("DELETE FROM refusals WHERE id <= ?", (cursor.lastrowid - REFUSALS_KEPT,))
    count(connection, profile, method, "rejected")


def sign_in(connection: sqlite3.Connection, at: datetime) -> None:
    day = from_store(utc_text(at)).date().isoformat()
    connection.execute("INSERT OR IGNORE INTO sign_ins VALUES (?, ?)", (day, utc_text(at)))
