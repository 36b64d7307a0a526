"""What a record costs the store does not grow with what came before it. Steps of SQLite are counted, not time."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date

import pytest

from simulators.supervision.console.figures import counts
from simulators.supervision.console.scope import Scope
from simulators.supervision.store.console_schema import CONSOLE_SCHEMA
from simulators.supervision.store.schema import SCHEMA
from tests.unit.supervision_platform.arrivals import Arrival, take
from tests.unit.supervision_platform.shanghai_records import Hospital

DAY = date(2026, 11, 22)
FEW, MANY = 20, 400
EVERY = 10


def steps(connection: sqlite3.Connection, deed: Callable[[], object]) -> int:
    counted = [0]

    def one() -> int:
        counted[0] += EVERY
        return 0

    connection.set_progress_handler(one, EVERY)
    deed()
    connection.set_progress_handler(None, EVERY)
    return counted[0]


def links(hospital: Hospital, number: int) -> Arrival:
    return "uploadChainLink", hospital.link(stream=f"S-{number}")


def visits(hospital: Hospital, number: int) -> Arrival:
    at = f"2026-11-22T09:{number % 60:02d}:{number // 60:02d}+08:00"
    return "uploadFollowUp", hospital.started(f"V-{number}", at, bookingNo=f"V-{number}")


def filings(hospital: Hospital, _: int) -> Arrival:
    return "uploadPractitioner", hospital.filed()


def verifications(hospital: Hospital, number: int) -> Arrival:
    return "uploadRealName", hospital.verified(authId=f"I-{number}")


@pytest.mark.parametrize("before", [links, visits, filings, verifications])
@pytest.mark.parametrize("last", [visits, filings, verifications])
def test_a_record_after_many_costs_what_it_costs_after_few(
    before: Callable[[Hospital, int], Arrival], last: Callable[[Hospital, int], Arrival]
) -> None:
    costs = []
    for number in (FEW, MANY):
        hospital = Hospital()
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.executescript(SCHEMA + CONSOLE_SCHEMA)
            for arrival in (
                filings(hospital, 0), verifications(hospital, -1), ("uploadFollowUp", hospital.eligible()),
                *(before(hospital, one) for one in range(number)),
            ):  # fmt: skip
                take(connection, *arrival)
            method, record = last(hospital, 30)
            costs.append(steps(connection, lambda: take(connection, method, record)))  # noqa: B023 (called at once)

    assert costs[1] < 3 * costs[0] + 500


def test_a_day_is_counted_from_an_index_alone() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(SCHEMA + CONSOLE_SCHEMA)
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        counts(connection, Scope(DAY, DAY))
        connection.set_trace_callback(None)
        [counted] = [one for one in asked if "GROUP BY kind" in one]
        plan = " ".join(row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {counted}"))

    assert "USING COVERING INDEX" in plan
