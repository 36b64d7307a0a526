"""Acts as the store has them, and the alerts that stand about them."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from simulators.supervision.meanings import Told, told
from simulators.supervision.times import from_store


@dataclass(frozen=True)
class Act:
    """A stored record, read; `at` is UTC as the store spells it."""

    record_id: int
    visit_no: str | None
    patient_id: str | None
    at: str
    told: Told

    @property
    def day(self) -> str:
        """Shanghai's."""
        return from_store(self.at).date().isoformat()

    def text(self, name: str) -> str:
        return self.told.text(name)


@dataclass(frozen=True)
class Alert:
    rule: str
    subject: str
    detail: str
    act: Act


_COLUMNS = "id, method, visit_no, patient_id, occurred_at, body"


def acts(connection: sqlite3.Connection, where: str, values: Sequence[object]) -> Iterator[Act]:
    """One after another: there may be many."""
    for row in connection.execute(f"SELECT {_COLUMNS} FROM records WHERE {where}", tuple(values)):
        yield Act(
            row["id"], row["visit_no"], row["patient_id"], row["occurred_at"],
            told(row["method"], json.loads(row["body"])),
        )  # fmt: skip


def hold(connection: sqlite3.Connection, alert: Alert, *, anew: bool = False) -> None:
    """One alert for each rule and subject, about the earliest act that gives reason for it; `anew`: that is this one."""
    act = alert.act
    connection.execute(
        "INSERT INTO alerts (rule, subject, record_id, visit_no, at, detail) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (rule, subject) DO UPDATE SET record_id = excluded.record_id, visit_no = excluded.visit_no, "
        "at = excluded.at, detail = excluded.detail "
        "WHERE ? OR excluded.at < alerts.at OR excluded.record_id = alerts.record_id",
        (alert.rule, alert.subject, act.record_id, act.visit_no, act.at, alert.detail, anew),
    )


def settle(connection: sqlite3.Connection, rule: str, subject: str, by_record: int) -> None:
    """That record explains it: out of the list, kept in `explained`."""
    taken = connection.execute(
        "DELETE FROM alerts WHERE rule = ? AND subject = ? RETURNING rule, subject, record_id, visit_no, at, detail",
        (rule, subject),
    ).fetchall()
    connection.executemany(
        "INSERT INTO explained (rule, subject, record_id, visit_no, at, detail, by_record) "
        f"VALUES (?, ?, ?, ?, ?, ?, {by_record:d})",
        [tuple(row) for row in taken],
    )


def judged(
    connection: sqlite3.Connection,
    by_record: int,
    asked: Iterable[tuple[str, str]],
    found: Iterable[Alert],
) -> None:
    """`asked` are the (rule, subject) that were judged anew: what was found stands, what was not is explained."""
    standing: dict[tuple[str, str], Alert] = {}
    for alert in sorted(found, key=lambda one: (one.act.at, one.act.record_id)):
        standing.setdefault((alert.rule, alert.subject), alert)
    for alert in standing.values():
        hold(connection, alert, anew=True)
    for rule, subject in sorted(set(asked) - set(standing)):
        settle(connection, rule, subject, by_record)
