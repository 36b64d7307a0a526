"""What people read of a day: how many records of each interface, which were refused, which statements were exchanged."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from simulators.supervision.console.scope import Scope
from simulators.supervision.times import from_store

EXCHANGED = "shanghai"
"""The profile whose days are stated by both sides under seal; of the others a person reads the numbers from the page."""
SENDER = "-"
"""A refusal of a whole request that named no interface."""


@dataclass(frozen=True)
class Line:
    """Of one interface, or of a whole profile. `stored` with repetitions, `twice` of them; `refused` were spoken on that day."""

    profile: str
    method: str
    stored: int
    twice: int
    numbers: int
    refused: int

    @property
    def accepted(self) -> int:
        """What the hospital counts as having arrived."""
        return self.stored - self.twice


@dataclass(frozen=True)
class Statement:
    """One exchange: what each side stated, and the digests of the sealed texts."""

    supplement: int
    at: datetime
    agreed: bool
    theirs: Mapping[str, Any]
    ours: Mapping[str, Any]
    their_hash: str
    our_hash: str


def of_methods(connection: sqlite3.Connection, day: date) -> list[Line]:
    """Of each interface something came by."""
    return _lines(connection, day, "method", "coalesce(event_id, business_no)")


def of_profiles(connection: sqlite3.Connection, day: date) -> dict[str, Line]:
    """Sums; an event that is told by two interfaces is one event."""
    lines = _lines(connection, day, "''", "coalesce(event_id, method || ' ' || business_no)")
    return {line.profile: line for line in lines}


def _lines(connection: sqlite3.Connection, day: date, method: str, number: str) -> list[Line]:
    occurred, days = Scope(day, day).days("occurred_at")
    spoken, more = Scope(day, day).days("at")
    rows = connection.execute(
        "SELECT profile, method, sum(stored), sum(twice), sum(numbers), sum(refused) FROM ("
        f"SELECT profile, {method} AS method, count(*) AS stored, sum(duplicate) AS twice, "
        f"count(DISTINCT {number}) AS numbers, 0 AS refused FROM records WHERE {occurred} GROUP BY 1, 2 UNION ALL "
        f"SELECT profile, {method}, 0, 0, 0, count(*) FROM refusals WHERE {spoken} GROUP BY 1, 2) "
        "GROUP BY 1, 2 ORDER BY 1, 2",
        (*days, *more),
    )
    return [Line(*row) for row in rows]


def first_day(connection: sqlite3.Connection) -> date | None:
    """The earliest day anything is told of."""
    first = connection.execute("SELECT min(occurred_at) FROM records").fetchone()[0]
    return from_store(first).date() if first else None


def statements(connection: sqlite3.Connection, day: date) -> list[Statement]:
    """The day's own first, then its supplements."""
    rows = connection.execute(
        "SELECT * FROM day_statements WHERE day = ? ORDER BY supplement", (day.isoformat(),)
    )
    return [
        Statement(
            row["supplement"], from_store(row["at"]), bool(row["agreed"]),
            json.loads(row["theirs"]), json.loads(row["ours"]), _sha256(row["theirs"]), _sha256(row["ours"]),
        )
        for row in rows
    ]  # fmt: skip


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def refusals(
    connection: sqlite3.Connection, days: Scope, *, profile: str, method: str, before: int | None, limit: int
) -> list[sqlite3.Row]:
    """Newest first, below `before`."""
    where, values = _refused(days, profile, method)
    return connection.execute(
        f"SELECT * FROM refusals WHERE {where} AND id < coalesce(?, id + 1) ORDER BY id DESC LIMIT ?",
        (*values, before, limit),
    ).fetchall()


def refusals_counted(connection: sqlite3.Connection, days: Scope, *, profile: str, method: str) -> int:
    where, values = _refused(days, profile, method)
    return int(connection.execute(f"SELECT count(*) FROM refusals WHERE {where}", values).fetchone()[0])


def _refused(days: Scope, profile: str, method: str) -> tuple[str, list[str]]:
    where, values = days.days("at")
    for name, value in (("profile", profile), ("method", method)):
        if value:
            where += f" AND {name} = ?"
            values.append(value)
    return where, values
