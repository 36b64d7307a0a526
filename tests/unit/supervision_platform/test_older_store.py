"""A store that an older platform left is opened, and counted as if this one had received it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from simulators.supervision.console.figures import counts
from simulators.supervision.console.scope import Scope
from simulators.supervision.store import Database, filings
from tests.unit.supervision_platform.arrivals import sample_row, take
from tests.unit.supervision_platform.shanghai_records import Hospital

OLD_INDEXES = """
CREATE INDEX records_patient ON records (patient_id, event_type, occurred_at);
CREATE INDEX records_occurred ON records (occurred_at);
CREATE INDEX records_started ON records (id) WHERE event_type = 'encounter.started';
CREATE INDEX records_treatment ON records (id) WHERE method = 'bb_pi_treatment';
CREATE INDEX records_doctor ON records (doctor_id, event_type, occurred_at);
CREATE INDEX records_dept ON records
    (json_extract(body, '$.deptID'), json_extract(body, '$.deptName')) WHERE json_extract(body, '$.deptID') IS NOT NULL;
CREATE INDEX records_kind ON records (coalesce(event_type, method), occurred_at);
"""


def made_old(file: Path) -> None:
    """As the platform before the columns wrote it."""
    with closing(sqlite3.connect(file)) as connection:
        own = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'records' AND name LIKE 'records_%'"
        for [index] in connection.execute(own).fetchall():
            connection.execute(f"DROP INDEX {index}")
        for column in ("kind", "organ_id", "dept_id", "reviewer_id"):
            connection.execute(f"ALTER TABLE records DROP COLUMN {column}")
        connection.execute("DROP TABLE filings")
        connection.executescript(OLD_INDEXES)
        connection.execute("UPDATE alerts SET subject = 'DOC-1'")
        connection.execute(
            "INSERT INTO matters (kind, key, title, detail, at, standing) "
            "VALUES ('alert', 'filing_lapsed DOC-1', '', '', '', 'looked')"
        )
        connection.execute("PRAGMA user_version = 0")
        connection.commit()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hospital = Hospital()
    with closing(Database(tmp_path)) as database, database.transaction() as connection:
        for method, record in (
            ("uploadPractitioner", hospital.filed(status="2")), ("uploadBooking", hospital.booked()),
            sample_row("bb_pi_treatment", "encounter-started"), sample_row("bb_pi_treatment", "encounter-completed"),
        ):  # fmt: skip
            take(connection, method, record)
    return tmp_path


def state(folder: Path) -> tuple[dict[str, int], list[tuple[object, ...]], list[str]]:
    with closing(Database(folder)) as database, database.reading() as connection:
        counted = dict(counts(connection, Scope()).counts)
        rows = connection.execute(
            "SELECT kind, organ_id, dept_id, reviewer_id, doctor_id FROM records ORDER BY id"
        )
        indexes = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'index' ORDER BY sql")
        return counted, [tuple(row) for row in rows], [row[0] for row in indexes]


def test_an_older_store_counts_as_a_new_one(folder: Path) -> None:
    new = state(folder)
    made_old(folder / "supervision.sqlite3")

    assert state(folder) == new
    assert new[0]["encounter.started@guangdong"] == 1


def test_what_was_made_of_an_old_alert_stays_with_it(folder: Path) -> None:
    made_old(folder / "supervision.sqlite3")

    with closing(Database(folder)) as database, database.reading() as connection:
        [alert] = connection.execute(
            "SELECT rule || ' ' || subject FROM alerts WHERE rule = 'filing_lapsed'"
        ).fetchone()
        [matter] = connection.execute("SELECT key FROM matters").fetchone()

    assert alert == matter == "filing_lapsed DOC-1 2026-11-21"


def test_a_store_of_a_newer_platform_is_left_alone(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "supervision.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.commit()

    with pytest.raises(ValueError, match="version 99"):
        Database(folder)


@pytest.mark.parametrize("version", [0, 2])
def test_who_was_filed_before_is_filed_still(folder: Path, version: int) -> None:
    made_old(folder / "supervision.sqlite3")
    with closing(sqlite3.connect(folder / "supervision.sqlite3")) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()

    with closing(Database(folder)) as database, database.reading() as connection:
        found = filings.held(connection, "DOC-1", "2026-11-22T00:00:00.000Z")

    assert found is not None
    assert (found.profession, found.active) == ("1", False)
