"""What a page looks at: days, hospital, department, doctor. Part of every address, so that each number leads to its own list."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from simulators.server import SHANGHAI
from simulators.supervision.meanings import Told, told
from simulators.supervision.times import utc_text

LONGEST = 100


@dataclass(frozen=True)
class Scope:
    """Days are Shanghai's, both ends included; an empty text or None does not narrow."""

    since: date | None = None
    until: date | None = None
    hospital: str = ""
    dept: str = ""
    doctor: str = ""

    def query(self, **more: str) -> str:
        """As the end of an address: `?from=…&dept=…`."""
        own = {
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
            "hospital": self.hospital, "dept": self.dept, "doctor": self.doctor,
        }  # fmt: skip
        given = {name: value for name, value in (own | more).items() if value}
        return f"?{urlencode(given)}" if given else ""

    def without_days(self) -> "Scope":
        return replace(self, since=None, until=None)

    def days(self, column: str) -> tuple[str, list[str]]:
        """A condition on a time of the store."""
        where, values = ["1"], []
        if self.since:
            where.append(f"{column} >= ?")
            values.append(utc_text(_midnight(self.since)))
        if self.until:
            where.append(f"{column} < ?")
            values.append(utc_text(_midnight(self.until + timedelta(days=1))))
        return " AND ".join(where), values

    def records(self, table: str = "", *, up_to: int | None = None) -> tuple[str, list[str]]:
        """A condition on records. One that names no department or doctor (a payment) counts with its visit, as known `up_to` a record."""
        t, known = f"{table}." if table else "", "" if up_to is None else f" AND id <= {up_to:d}"
        where, values = self.days(f"{t}occurred_at")
        if self.hospital:
            where += f" AND {t}organ_id = ?"
            values.append(self.hospital)
        if self.dept:
            where += f" AND ({t}dept_id = ? OR {t}visit_no IN (SELECT visit_no FROM records WHERE dept_id = ?{known}))"
            values += [self.dept] * 2
        if self.doctor:
            where += f" AND ({t}doctor_id = ? OR ({t}kind = 'practitioner.changed' AND {t}business_no = ?) "
            where += f"OR {t}visit_no IN (SELECT visit_no FROM records WHERE doctor_id = ?{known}))"
            values += [self.doctor] * 3
        return where, values

    def alerts(self, table: str = "alerts") -> tuple[str, list[str]]:
        """A condition on alerts; what they are about is in their record."""
        where, values = self.days(f"{table}.at")
        if self.without_days() != Scope():
            inner, more = self.without_days().records()
            where += f" AND {table}.record_id IN (SELECT id FROM records WHERE {inner})"
            values += more
        return where, values


def scope_of(given: Mapping[str, str], today: date | None = None) -> Scope:
    """From an address; without any day, `today`."""
    since, until = day_of(given.get("from", "")), day_of(given.get("to", ""))
    if since is None and until is None:
        since = until = today
    if since and until and since > until:
        since, until = until, since
    rest = {name: given.get(name, "").strip()[:LONGEST] for name in ("hospital", "dept", "doctor")}
    return Scope(since, until, **rest)


def day_of(text: str) -> date | None:
    """A calendar day that a clock of this century may show."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 < day.year < 9000 else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def choices(connection: sqlite3.Connection) -> dict[str, list[tuple[str, str]]]:
    """(value, name) for the lists of the filter, as the feed knows them; by a walk along the indexes."""
    depts = {
        value: one.text("deptName") or value
        for value, one in _each(connection, "dept_id", "dept_id, visit_no")
    }
    doctors = {
        value: " · ".join(filter(None, (one.text("doctorName"), one.text("deptName")))) or value
        for value, one in _each(connection, "doctor_id", "kind, occurred_at")
    }
    return {
        "depts": sorted(depts.items(), key=lambda one: one[1]),
        "doctors": sorted(doctors.items(), key=lambda one: one[1]),
    }


def _each(connection: sqlite3.Connection, column: str, order: str) -> Iterator[tuple[str, Told]]:
    """Every value of a column with the first record that has it."""
    rows = connection.execute(
        f"WITH RECURSIVE d(id) AS (SELECT min({column}) FROM records WHERE {column} IS NOT NULL UNION ALL "
        f"SELECT (SELECT min({column}) FROM records WHERE {column} > d.id) FROM d WHERE d.id IS NOT NULL) "
        "SELECT d.id AS value, records.method, records.body FROM d JOIN records ON records.id = "
        f"(SELECT id FROM records WHERE {column} = d.id ORDER BY {order} LIMIT 1) WHERE d.id IS NOT NULL"
    )
    for row in rows:
        yield row["value"], told(row["method"], json.loads(row["body"]))
