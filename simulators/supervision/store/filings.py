"""What each person was filed for, from when on: rules ask it of every act."""

import json
import sqlite3
from dataclasses import dataclass

from simulators.supervision.meanings import Told
from simulators.supervision.times import from_wire, utc_text


@dataclass(frozen=True)
class Filing:
    """`scope` has codes or, from the row-by-row table, names; `until` is empty where it has no end."""

    profession: str
    scope: frozenset[str]
    until: str
    active: bool
    status: str


def since_of(filed: Told, at: str) -> str:
    """From when on it holds; the row-by-row table says no more than when it was told."""
    changed = filed.text("changedAt")
    return utc_text(from_wire(changed)) if changed else at


def add(connection: sqlite3.Connection, record_id: int, filed: Told, at: str) -> None:
    """Two of one moment are ordered by their numbers in the hospital, not by who came first."""
    scope = json.dumps(sorted(map(str, filed.body.get("practiceScope") or [])), ensure_ascii=False)
    connection.execute(
        "INSERT OR IGNORE INTO filings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (filed.text("staffId"), since_of(filed, at), int(filed.text("hospitalSeq") or 0), record_id,
         filed.text("staffType"), scope, filed.text("filedUntil")[:10], filed.text("status")),
    )  # fmt: skip


def held(
    connection: sqlite3.Connection, person: str, at: str, *, but_for: int | None = None
) -> Filing | None:
    """The filing that held at that moment, whenever it arrived; `but_for` leaves one record out."""
    row = connection.execute(
        "SELECT * FROM filings WHERE person = ? AND since <= ? AND record_id IS NOT ? "
        "ORDER BY since DESC, place DESC, status DESC, until DESC, scope DESC LIMIT 1",
        (person, at, but_for),
    ).fetchone()
    if row is None:
        return None
    scope = frozenset(json.loads(row["scope"]))
    return Filing(row["profession"], scope, row["until"], row["status"] == "1", row["status"])


def number(connection: sqlite3.Connection, profession: str, at_most: int) -> int:
    """How many filings of a profession there are, counted no further than asked for."""
    rows = connection.execute(
        "SELECT 1 FROM filings WHERE profession = ? LIMIT ?", (profession, at_most)
    ).fetchall()
    return len(rows)
