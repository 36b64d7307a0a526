"""Records, visits and alerts for the lists of the console."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulators.supervision.alerts import EVIDENCE_DAYS, RULES
from simulators.supervision.console import wording
from simulators.supervision.times import from_store

PAGE = 30


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
    )


def one_record(connection: sqlite3.Connection, number: int) -> Item | None:
    row = connection.execute("SELECT * FROM records WHERE id = ?", (number,)).fetchone()
    return item(row) if row else None


def records_before(
    connection: sqlite3.Connection,
    before: int | None,
    *,
    method: str,
    day: tuple[str, str] | None,
    number: str,
) -> tuple[list[Item], int | None]:
    """A page, newest first, and where the next one begins. `number` is a visit's, a business's, an event's or a receipt's."""
    where, values = ["1"], []
    if before:
        where.append("id < ?")
        values.append(str(before))
    if method:
        where.append("method = ?")
        values.append(method)
    if day:
        where.append("occurred_at >= ? AND occurred_at < ?")
        values += day
    if number:
        where.append("? IN (visit_no, business_no, event_id, receipt)")
        values.append(number)
    rows = connection.execute(
        f"SELECT * FROM records WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, PAGE + 1)
    ).fetchall()
    return [item(row) for row in rows[:PAGE]], rows[PAGE - 1]["id"] if len(rows) > PAGE else None


@dataclass(frozen=True)
class VisitLine:
    visit_no: str
    steps: int
    last: Item
    alerts: int


def latest_visits(connection: sqlite3.Connection, limit: int = PAGE) -> list[VisitLine]:
    """The visits that something was reported about most recently."""
    rows = connection.execute(
        "SELECT visit_no, max(id) AS last, count(*) AS steps FROM "
        "(SELECT id, visit_no FROM records WHERE visit_no IS NOT NULL ORDER BY id DESC LIMIT 2000) "
        "GROUP BY visit_no ORDER BY last DESC LIMIT ?",
        (limit,),
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
    patient = next(
        (row["patient_id"] for row in rows if row["profile"] == "shanghai" and row["patient_id"]), None
    )
    before = []
    if patient:
        for event in ("identity.verified", "eligibility.decided"):
            if any(row["event_type"] == event for row in rows):
                continue
            found = connection.execute(
                "SELECT * FROM records WHERE patient_id = ? AND event_type = ? AND occurred_at <= ? "
                "AND (event_type = 'identity.verified' OR julianday(?) - julianday(occurred_at) <= ?) "
                "ORDER BY occurred_at DESC LIMIT 1",
                (patient, event, rows[-1]["occurred_at"], rows[-1]["occurred_at"], EVIDENCE_DAYS),
            ).fetchone()
            before += [found] if found else []
    return [item(row) for row in sorted([*before, *rows], key=lambda row: (row["occurred_at"], row["id"]))]


@dataclass(frozen=True)
class Alert:
    title: str
    concern: str
    basis: str
    detail: str
    at: datetime
    visit_no: str | None
    record_id: int


def alerts(
    connection: sqlite3.Connection, *, concern: str = "", visit_no: str = "", limit: int = 100
) -> list[Alert]:
    rules = [name for name, rule in RULES.items() if concern in ("", rule.concern)]
    where = f"rule IN ({','.join('?' * len(rules))})" + (" AND visit_no = ?" if visit_no else "")
    values = [*rules, visit_no] if visit_no else rules
    rows = connection.execute(
        f"SELECT * FROM alerts WHERE {where} ORDER BY at DESC, id DESC LIMIT ?", (*values, limit)
    ).fetchall()
    return [
        Alert(
            RULES[row["rule"]].title, wording.CONCERNS[RULES[row["rule"]].concern], RULES[row["rule"]].basis,
            row["detail"], from_store(row["at"]), row["visit_no"], row["record_id"],
        )
        for row in rows
    ]  # fmt: skip


def alert_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Alerts for each concern."""
    counts = dict.fromkeys(wording.CONCERNS, 0)
    for row in connection.execute("SELECT rule, count(*) AS number FROM alerts GROUP BY rule"):
        counts[RULES[row["rule"]].concern] += row["number"]
    return counts
