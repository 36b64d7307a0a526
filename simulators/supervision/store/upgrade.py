"""Brings the store of an older platform to the tables of this one, before anybody reads it."""

import json
import sqlite3

from simulators.supervision.business import keys_of
from simulators.supervision.meanings import FILINGS as FILED_BY
from simulators.supervision.meanings import told
from simulators.supervision.store import filings
from simulators.supervision.store.schema import FILINGS
from simulators.supervision.tables import Method, guangdong, shanghai, tianjin

VERSION = 3
"""2: records have their kind, organisation, department and reviewer in columns; alerts about staff name their day.
3: filings have a table of their own.
"""
_COLUMNS = ("kind TEXT NOT NULL DEFAULT ''", "organ_id TEXT", "dept_id TEXT", "reviewer_id TEXT")
_OLD_INDEXES = (
    "records_patient", "records_occurred", "records_kind", "records_started", "records_treatment", "records_doctor",
    "records_dept",
)  # fmt: skip
_BY_DAY = "('not_filed', 'filing_lapsed', 'outside_licence')"


def upgrade(connection: sqlite3.Connection) -> None:
    """All of it or nothing; a new file has nothing to bring along."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ValueError(
            f"the store is of version {version}, this platform knows versions up to {VERSION}: start the newer platform"
        )
    if version == VERSION:
        return
    old = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'records'").fetchone()
    connection.execute("BEGIN IMMEDIATE")
    try:
        if old:
            connection.execute(FILINGS)
            _records(connection)
            if version < 2:
                _alerts(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _records(connection: sqlite3.Connection) -> None:
    for index in _OLD_INDEXES:
        connection.execute(f"DROP INDEX IF EXISTS {index}")
    there = {row["name"] for row in connection.execute("PRAGMA table_info(records)")}
    for column in _COLUMNS:
        if column.split()[0] not in there:
            connection.execute(f"ALTER TABLE records ADD COLUMN {column}")
    methods: dict[str, Method] = {**tianjin().methods, **shanghai().methods, **guangdong().methods}
    last = 0
    page = "SELECT id, method, body FROM records WHERE id > ? ORDER BY id LIMIT 1000"
    while rows := connection.execute(page, (last,)).fetchall():
        for row in rows:
            body = json.loads(row["body"])
            keys = keys_of(methods[row["method"]], body)
            if row["method"] in FILED_BY:
                filings.add(connection, row["id"], told(row["method"], body), keys.occurred_at)
            connection.execute(
                "UPDATE records SET kind = ?, organ_id = ?, dept_id = ?, reviewer_id = ?, doctor_id = ? WHERE id = ?",
                (keys.kind, keys.organ_id, keys.dept_id, keys.reviewer_id, keys.doctor_id, row["id"]),
            )
        last = rows[-1]["id"]


def _alerts(connection: sqlite3.Connection) -> None:
    """An alert about a person's filing was one for ever; what a supervisor made of it stays with it."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alerts'").fetchone():
        return
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'matters'").fetchone():
        connection.execute(
            "UPDATE matters SET key = (SELECT matters.key || ' ' || date(alerts.at, '+8 hours') FROM alerts "
            f"WHERE matters.key = alerts.rule || ' ' || alerts.subject AND rule IN {_BY_DAY}) "
            "WHERE kind = 'alert' AND key IN (SELECT rule || ' ' || subject FROM alerts "
            f"WHERE rule IN {_BY_DAY})"
        )
    connection.execute(
        f"UPDATE alerts SET subject = subject || ' ' || date(at, '+8 hours') WHERE rule IN {_BY_DAY}"
    )
