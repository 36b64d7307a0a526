"""Records put into a store in an order of the test's own, without the wire: what is asked is which alerts stand."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from simulators.supervision.alerts import watch
from simulators.supervision.business import keys_of
from simulators.supervision.store import records
from simulators.supervision.store.console_schema import CONSOLE_SCHEMA
from simulators.supervision.store.schema import SCHEMA
from simulators.supervision.tables import guangdong, shanghai, tianjin
from tests.contract.platforms import SAMPLES_BY_TABLE

Arrival = tuple[str, dict[str, Any]]
"""Method and record."""
_METHODS = {
    name: (profile.name, method)
    for profile in (tianjin(), shanghai(), guangdong())
    for name, method in profile.methods.items()
}
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def sample_row(table: str, name: str, **changes: Any) -> Arrival:
    """A row as the adapter writes it; `changes` of columns."""
    [file] = (SAMPLES_BY_TABLE / table).glob(f"*-{name}-request.json")
    row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["record"]
    return table, row | changes


def take(connection: sqlite3.Connection, method: str, record: dict[str, Any]) -> None:
    """As the receiver does once it has judged the record."""
    profile, table = _METHODS[method]
    keys = keys_of(table, record)
    stored = records.store(
        connection, profile=profile, method=method, keys=keys, body=record, request_digest="", duplicate=False,
        received_at=NOW, name=None, prefix="",
    )  # fmt: skip
    watch(connection, method, record, replace(keys, visit_no=stored.visit_no), stored.id)


def standing(arrivals: Iterable[Arrival]) -> list[tuple[str, str, str]]:
    """(rule, subject, moment of the act) of the alerts that stand after all have come."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(SCHEMA + CONSOLE_SCHEMA)
        for method, record in arrivals:
            take(connection, method, record)
        rows = connection.execute("SELECT rule, subject, at FROM alerts ORDER BY 1, 2").fetchall()
    return [tuple(row) for row in rows]


def rules(arrivals: Iterable[Arrival]) -> list[str]:
    """Rules that stand, each as often as it does."""
    return [rule for rule, _, _ in standing(arrivals)]
