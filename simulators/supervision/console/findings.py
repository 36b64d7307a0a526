"""Alerts, complaints and adverse events for the lists, each with where its follow-up stands."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from simulators.supervision.alerts import RULES
from simulators.supervision.console import wording
from simulators.supervision.console.kinds import GRIEVANCES
from simulators.supervision.console.masking import mask_record
from simulators.supervision.console.people import People
from simulators.supervision.console.scope import Scope
from simulators.supervision.oversight.matters import STANDINGS, Standing, Subject
from simulators.supervision.times import from_store, from_wire, utc_text

WRITTEN = {"view_refused"}
"""Rules whose detail is what the hospital wrote; the others say only names of staff, drugs, times and numbers."""


@dataclass(frozen=True)
class Explained:
    """The later record that took an alert back."""

    record_id: int
    title: str
    at: datetime


@dataclass(frozen=True)
class Alert:
    """`standing` and `matter` say what a supervisor made of it; without a matter it is new. `explained`: it stands no more."""

    id: int
    rule: str
    subject: str
    detail: str
    at: datetime
    visit_no: str | None
    record_id: int
    standing: Standing
    matter: int | None
    explained: Explained | None = None

    @property
    def title(self) -> str:
        return RULES[self.rule].title

    @property
    def concern(self) -> str:
        return wording.CONCERNS[RULES[self.rule].concern]

    @property
    def basis(self) -> str:
        return RULES[self.rule].basis

    @property
    def says(self) -> str:
        return STANDINGS[self.standing]

    @property
    def about(self) -> Subject:
        """What a matter keeps of it."""
        key = f"{self.rule} {self.subject}"
        return Subject(
            "alert", key, self.title, self.detail, self.visit_no, self.record_id, utc_text(self.at)
        )


_ALERTS = (
    "SELECT alerts.*, matters.id AS matter, coalesce(matters.standing, 'new') AS standing FROM alerts "
    "LEFT JOIN matters ON matters.kind = 'alert' AND matters.key = alerts.rule || ' ' || alerts.subject"
)


def alerts(
    connection: sqlite3.Connection, scope: Scope | None = None, *, concern: str = "", rule: str = "",
    standing: str = "", visit_no: str = "", before: int | None = None, limit: int = 100,
) -> list[Alert]:  # fmt: skip
    """Newest first. `standing` may be `open`: whatever is not closed."""
    rules = [name for name, one in RULES.items() if concern in ("", one.concern) and rule in ("", name)]
    where, values = (scope or Scope()).alerts()
    where += f" AND rule IN ({','.join('?' * len(rules))})"
    values += rules
    if standing:
        where += " AND coalesce(matters.standing, 'new') " + ("<> 'closed'" if standing == "open" else "= ?")
        values += [] if standing == "open" else [standing]
    if visit_no:
        where += " AND alerts.visit_no = ?"
        values.append(visit_no)
    if before:
        where += " AND alerts.id < ?"
        values.append(str(before))
    rows = connection.execute(
        f"{_ALERTS} WHERE {where} ORDER BY alerts.id DESC LIMIT ?", (*values, limit)
    ).fetchall()
    return _alerts(connection, rows)


def one_alert(connection: sqlite3.Connection, number: int) -> Alert | None:
    row = connection.execute(f"{_ALERTS} WHERE alerts.id = ?", (number,)).fetchone()
    return _alerts(connection, [row])[0] if row else None


def _alerts(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[Alert]:
    people = People(connection)
    return [_alert(row, people) for row in rows]


def _alert(row: sqlite3.Row, people: People) -> Alert:
    """What a person wrote among the details loses whom it is about."""
    detail = row["detail"]
    if row["rule"] in WRITTEN:
        detail = people.of_visit(row["visit_no"], row["record_id"]).mask(detail)
    return Alert(
        row["id"], row["rule"], row["subject"], detail, from_store(row["at"]), row["visit_no"], row["record_id"],
        Standing(row["standing"]), row["matter"],
    )  # fmt: skip


_EXPLAINED = (
    "SELECT explained.*, matters.id AS matter, coalesce(matters.standing, 'new') AS standing, later.method, "
    "later.event_type, later.received_at FROM explained JOIN records AS later ON later.id = explained.by_record "
    "LEFT JOIN matters ON matters.kind = 'alert' AND matters.key = explained.rule || ' ' || explained.subject"
)


def explained(
    connection: sqlite3.Connection, scope: Scope | None = None, *, records: Sequence[int] | None = None,
    before: int | None = None, limit: int = 100,
) -> list[Alert]:  # fmt: skip
    """Alerts that a later record took back, newest first; `records`: those that these raised."""
    where, values = (scope or Scope()).alerts("explained")
    if records is not None:
        where += f" AND explained.record_id IN ({','.join(map(str, records))})"
    if before:
        where += f" AND explained.id < {before:d}"
    rows = connection.execute(
        f"{_EXPLAINED} WHERE {where} ORDER BY explained.id DESC LIMIT ?", (*values, limit)
    ).fetchall()
    people = People(connection)
    return [
        replace(_alert(row, people), explained=Explained(
            row["by_record"], wording.title_of(row["method"], row["event_type"]), from_store(row["received_at"])
        ))
        for row in rows
    ]  # fmt: skip


def explained_count(connection: sqlite3.Connection, scope: Scope) -> int:
    where, values = scope.alerts("explained")
    return int(connection.execute(f"SELECT count(*) FROM explained WHERE {where}", values).fetchone()[0])


def alert_counts(connection: sqlite3.Connection, scope: Scope | None = None) -> dict[str, int]:
    """Alerts for each concern."""
    where, values = (scope or Scope()).alerts()
    counts = dict.fromkeys(wording.CONCERNS, 0)
    rows = connection.execute(
        f"SELECT rule, count(*) AS number FROM alerts WHERE {where} GROUP BY rule", values
    )
    for row in rows:
        counts[RULES[row["rule"]].concern] += row["number"]
    return counts


def standing_counts(connection: sqlite3.Connection, scope: Scope, concern: str = "") -> dict[str, int]:
    """Alerts for each standing."""
    where, values = scope.alerts()
    rules = [name for name, one in RULES.items() if concern in ("", one.concern)]
    counts = dict.fromkeys(map(str, Standing), 0)
    rows = connection.execute(
        "SELECT coalesce(matters.standing, 'new') AS standing, count(*) AS number FROM alerts LEFT JOIN matters "
        "ON matters.kind = 'alert' AND matters.key = alerts.rule || ' ' || alerts.subject "
        f"WHERE {where} AND rule IN ({','.join('?' * len(rules))}) GROUP BY 1",
        [*values, *rules],
    )
    return counts | {row["standing"]: row["number"] for row in rows}


@dataclass(frozen=True)
class Grievance:
    """A complaint or an adverse event as it was reported, and where our follow-up stands. Persons masked."""

    key: str
    kind: str
    title: str
    words: str
    at: datetime
    deadline: datetime | None
    visit_no: str | None
    record_id: int
    standing: Standing
    matter: int | None

    @property
    def says(self) -> str:
        return STANDINGS[self.standing]

    @property
    def about(self) -> Subject:
        """What a matter keeps of it."""
        return Subject(
            self.kind, self.key, self.title, self.words, self.visit_no, self.record_id, utc_text(self.at)
        )

    def late(self, now: datetime) -> bool:
        """Past the hospital's own deadline and not settled here."""
        return self.deadline is not None and self.deadline < now and self.standing is not Standing.CLOSED


PAGE = 30


_KIND = "CASE records.event_type WHEN 'complaint.filed' THEN 'complaint' ELSE 'event' END"
_FOLLOWED = (
    f"records LEFT JOIN matters ON matters.kind = {_KIND} AND matters.key = records.business_no "
    f"WHERE records.id IN (SELECT max(id) FROM records WHERE {GRIEVANCES} GROUP BY method, business_no)"
)
_STANDING = "coalesce(matters.standing, 'new')"
"""A later report of the same number replaces the earlier one. One that is told under both profiles has two numbers."""


def grievances(
    connection: sqlite3.Connection, scope: Scope, *, standing: str = "", before: int | None = None, limit: int = PAGE
) -> list[Grievance]:  # fmt: skip
    """Newest report first. `standing` may be `open`: whatever is not closed."""
    where, values = scope.records("records")
    if standing:
        where += f" AND {_STANDING} " + ("<> 'closed'" if standing == "open" else "= ?")
        values += [] if standing == "open" else [standing]
    if before:
        where += f" AND records.id < {before:d}"
    rows = connection.execute(
        f"SELECT records.*, matters.id AS matter, {_STANDING} AS standing FROM {_FOLLOWED} AND {where} "
        "ORDER BY records.id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [_grievance(row) for row in rows]


def grievance_counts(connection: sqlite3.Connection, scope: Scope) -> dict[str, int]:
    """How many of each standing."""
    where, values = scope.records("records")
    rows = connection.execute(
        f"SELECT {_STANDING} AS standing, count(*) AS number FROM {_FOLLOWED} AND {where} GROUP BY 1", values
    )
    return dict.fromkeys(map(str, Standing), 0) | {row["standing"]: row["number"] for row in rows}


def one_grievance(connection: sqlite3.Connection, record_id: int) -> Grievance | None:
    row = connection.execute(
        f"SELECT records.*, matters.id AS matter, {_STANDING} AS standing FROM records "
        f"LEFT JOIN matters ON matters.kind = {_KIND} AND matters.key = records.business_no "
        f"WHERE records.id = ? AND {GRIEVANCES}",
        (record_id,),
    ).fetchone()
    return _grievance(row) if row else None


def _grievance(row: sqlite3.Row) -> Grievance:
    body = json.loads(row["body"])
    shown = mask_record(row["method"], body)
    complaint = row["kind"] == "complaint.filed"
    deadline = body.get("deadline")
    return Grievance(
        key=row["business_no"],
        kind="complaint" if complaint else "event",
        title="投诉" if complaint else "不良事件",
        words=str(shown.get("description") or shown.get("eventDescription") or shown.get("sjms") or ""),
        at=from_store(row["occurred_at"]),
        deadline=from_wire(deadline) if deadline else None,
        visit_no=row["visit_no"],
        record_id=row["id"],
        standing=Standing(row["standing"]),
        matter=row["matter"],
    )
