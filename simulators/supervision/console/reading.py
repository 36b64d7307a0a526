"""Records, visits and alerts for the lists of the console."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.supervision.alerts import EVIDENCE_DAYS
from simulators.supervision.console import wording
from simulators.supervision.console.kinds import one_of
from simulators.supervision.console.scope import Scope
from simulators.supervision.meanings import LINK, Told, told
from simulators.supervision.times import from_store

PAGE = 30
LAST = 2**62
"""Above every id."""


@dataclass(frozen=True)
class Item:
    """One stored record with what a list shows of it."""

    id: int
    title: str
    line: str
    method: str
    profile: str
    at: datetime
    received_at: datetime
    visit_no: str | None
    receipt: str | None
    duplicate: bool
    event_id: str | None
    request_digest: str
    business_no: str
    body: Mapping[str, Any]
    told: Told

    @property
    def lag_seconds(self) -> float:
        return (self.received_at - self.at).total_seconds()

    @property
    def arrival(self) -> str:
        """How long after the event it came."""
        if self.lag_seconds < -1:
            return f"到达时间早于发生时间{wording.span(-self.lag_seconds)}"
        return f"{wording.span(max(self.lag_seconds, 0))}后到达"


def item(row: sqlite3.Row) -> Item:
    body = json.loads(row["body"])
    return Item(
        id=row["id"],
        title=wording.title_of(row["method"], row["event_type"]),
        line=wording.line(row["method"], body),
        method=row["method"],
        profile=wording.PROFILES[row["profile"]],
        at=from_store(row["occurred_at"]),
        received_at=from_store(row["received_at"]),
        visit_no=row["visit_no"],
        receipt=row["receipt"],
        duplicate=bool(row["duplicate"]),
        event_id=row["event_id"],
        request_digest=row["request_digest"],
        business_no=row["business_no"],
        body=body,
        told=told(row["method"], body),
    )


def one_record(connection: sqlite3.Connection, number: int) -> Item | None:
    row = connection.execute("SELECT * FROM records WHERE id = ?", (number,)).fetchone()
    return item(row) if row else None


_NUMBERED = (
    "id IN (SELECT id FROM records WHERE visit_no = ? UNION SELECT id FROM records WHERE event_id = ? "
    f"UNION SELECT id FROM records WHERE method IN ({', '.join(map(repr, wording.METHODS))}) AND business_no = ? "
    "UNION SELECT id FROM records WHERE id = ? AND receipt = ?)"
)


@dataclass(frozen=True)
class Wanted:
    """What a list of records is narrowed to. `number` is a visit's, a business's, an event's or a receipt's."""

    scope: Scope = field(default_factory=Scope)
    method: str = ""
    kinds: tuple[str, ...] = ()
    number: str = ""
    once: bool = False
    twice: bool = False

    def where(self) -> tuple[str, list[Any]]:
        where, values = self.scope.records()
        parts: list[tuple[str, list[Any]]] = [(where, list(values))]
        if self.method:
            parts.append(("method = ?", [self.method]))
        if self.kinds:
            condition, told_by = one_of(self.kinds)
            parts.append((condition, list(told_by)))
        if self.number:
            # Each kind of number by its own index; a receipt ends with its record's id.
            place = int(self.number[-12:]) if self.number[-12:].isdecimal() else 0
            parts.append((_NUMBERED, [self.number, self.number, self.number, place, self.number]))
        if self.once:
            parts.append(("duplicate = 0", []))
        if self.twice:
            parts.append(("duplicate = 1", []))
        return " AND ".join(part for part, _ in parts), [value for _, more in parts for value in more]


def records_before(
    connection: sqlite3.Connection, before: int | None, wanted: Wanted
) -> tuple[list[Item], int | None]:
    """A page, newest first, and where the next one begins."""
    where, values = wanted.where()
    if before:
        where += " AND id < ?"
        values.append(before)
    rows = connection.execute(
        f"SELECT * FROM records WHERE {where} ORDER BY id DESC LIMIT ?", (*values, PAGE + 1)
    ).fetchall()
    return [item(row) for row in rows[:PAGE]], rows[PAGE - 1]["id"] if len(rows) > PAGE else None


def records_counted(connection: sqlite3.Connection, wanted: Wanted) -> int:
    where, values = wanted.where()
    return int(connection.execute(f"SELECT count(*) FROM records WHERE {where}", values).fetchone()[0])


_RECENT = 5000
_BEGUN = " UNION ALL ".join(
    f"SELECT id FROM (SELECT id FROM records WHERE kind = '{visit}.started' AND visit_no IS NOT NULL "
    f"ORDER BY id DESC LIMIT {_RECENT})"
    for visit in ("encounter", "consultation")
)
LIVE = (
    f"records.id IN ({_BEGUN}) AND records.profile <> 'tianjin-1.0' AND NOT EXISTS "
    "(SELECT 1 FROM records AS over WHERE over.visit_no = records.visit_no AND over.kind IN "
    "('encounter.completed', 'encounter.discontinued', 'consultation.completed', 'consultation.discontinued'))"
)
"""Records that began a visit which is not over, whichever profile says so; looked for among the latest, which is bounded."""


@dataclass(frozen=True)
class VisitLine:
    visit_no: str
    steps: int
    last: Item
    alerts: int


def latest_visits(
    connection: sqlite3.Connection, scope: Scope, *, live: bool = False, before: int | None = None, limit: int = PAGE
) -> list[VisitLine]:  # fmt: skip
    """The visits that something was reported about most recently; `live`: begun and not over. `before` is the last record of one."""
    where, values = scope.records("records")
    if live:
        found = f"SELECT visit_no, max(id) AS last FROM records WHERE {where} AND {LIVE} GROUP BY visit_no"
    else:  # a walk back along the records, which stops when a page is full
        later, more = scope.records("later")
        values += more
        found = (
            f"SELECT visit_no, id AS last FROM records WHERE visit_no IS NOT NULL AND {where} AND NOT EXISTS "
            f"(SELECT 1 FROM records AS later WHERE later.visit_no = records.visit_no AND later.id > records.id AND {later})"
        )
    rows = connection.execute(
        f"SELECT * FROM ({found}) WHERE last < ? ORDER BY last DESC LIMIT ?",
        (*values, before or LAST, limit),
    ).fetchall()
    lines = []
    for row in rows:
        last = one_record(connection, row["last"])
        steps, alerts = connection.execute(
            "SELECT (SELECT count(*) FROM records WHERE visit_no = :v), (SELECT count(*) FROM alerts WHERE visit_no = :v)",
            {"v": row["visit_no"]},
        ).fetchone()
        assert last is not None
        lines.append(VisitLine(row["visit_no"], steps, last, alerts))
    return lines


def visit(connection: sqlite3.Connection, visit_no: str) -> list[Item]:
    """Every record of a visit in the order of what happened, with the eligibility and the identity it rests on."""
    rows = connection.execute(
        "SELECT * FROM records WHERE visit_no = ? ORDER BY occurred_at, id", (visit_no,)
    ).fetchall()
    before = [
        found
        for event, find in (("identity.verified", _identity), ("eligibility.decided", _eligibility))
        if rows and not any(row["kind"] == event for row in rows) and (found := find(connection, rows))
    ]
    return [item(row) for row in sorted([*before, *rows], key=lambda row: (row["occurred_at"], row["id"]))]


_OF_PERSON = (
    f"SELECT * FROM records WHERE patient_id = ? AND kind = ? AND method <> '{LINK}' AND occurred_at <= ?"
)


def _patient(rows: Sequence[sqlite3.Row]) -> str | None:
    """The person's own number; Tianjin's records have her certificate alone."""
    return next(
        (row["patient_id"] for row in rows if row["profile"] != "tianjin-1.0" and row["patient_id"]), None
    )


def _identity(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(
        f"{_OF_PERSON} ORDER BY occurred_at DESC LIMIT 1",
        (_patient(rows), "identity.verified", rows[-1]["occurred_at"]),
    ).fetchone()
    return found


def _eligibility(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> sqlite3.Row | None:
    """The decision that the visit names, and no other; the person's latest where it names none."""
    last = rows[-1]["occurred_at"]
    named = {number for row in rows if (number := json.loads(row["body"]).get("eligibilityNo"))}
    more, values = "AND julianday(?) - julianday(occurred_at) <= ?", [last, EVIDENCE_DAYS]
    if named:
        more = f"AND id IN (SELECT record_id FROM joins WHERE number IN ({','.join('?' * len(named))}))"
        values = sorted(named)
    found: sqlite3.Row | None = connection.execute(
        f"{_OF_PERSON} {more} ORDER BY occurred_at DESC LIMIT 1",
        (_patient(rows), "eligibility.decided", last, *values),
    ).fetchone()
    return found


def live_count(connection: sqlite3.Connection, scope: Scope | None = None) -> int:
    """Visits that are going on, as far as the feed says."""
    where, values = (scope or Scope()).records("records")
    counted = connection.execute(
        f"SELECT count(DISTINCT visit_no) FROM records WHERE {where} AND {LIVE}", values
    )
    return int(counted.fetchone()[0])
