"""Supervisors who press at the same moment: one step, one decision, one trail."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from simulators.supervision.oversight import matters
from simulators.supervision.settings import Supervisor
from simulators.supervision.store import Database
from tests.unit.supervision_platform.at_the_console import ORDER, SECOND, send_a_visit, signed_in
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import BOY, Hospital

TIMES = 8


@pytest.fixture
def first(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai) as client:
        yield client


@pytest.fixture
def second(shanghai: Platform) -> Iterator[httpx.Client]:
    with signed_in(shanghai, SECOND) as client:
        yield client


def at_once(*deeds: Callable[[], httpx.Response]) -> list[int]:
    """Status codes, in the order of the deeds."""
    with ThreadPoolExecutor(len(deeds)) as pool:
        return [done.result().status_code for done in [pool.submit(deed) for deed in deeds]]


def test_a_step_is_taken_once(shanghai: Platform, first: httpx.Client, second: httpx.Client) -> None:
    shanghai.send("uploadPrescription", [Hospital().signed(**BOY)])
    matter = first.post("/alerts/1").url.path

    statuses = at_once(
        *(lambda one=one: one.post(f"{matter}/look") for one in [first, second] * (TIMES // 2))
    )

    assert sorted(statuses) == [200] + [409] * (TIMES - 1)
    assert first.get(matter).text.count("step-time") == 1


def test_a_request_is_decided_once(shanghai: Platform, first: httpx.Client, second: httpx.Client) -> None:
    send_a_visit(shanghai)
    path = first.post("/visits/V-1/reveals", data=ORDER).url.path

    decisions = ["grant", "refuse"] * (TIMES // 2)
    statuses = at_once(
        *(lambda said=said: second.post(f"{path}/decision", data={"decision": said}) for said in decisions)
    )

    assert sorted(statuses) == [200] + [403] * (TIMES - 1)


def test_a_request_pressed_twice_is_one(shanghai: Platform, first: httpx.Client) -> None:
    send_a_visit(shanghai)

    at_once(*(lambda: first.post("/visits/V-1/reveals", data=ORDER) for _ in range(TIMES)))

    assert first.get("/reveals").text.count("申请查看</a>") == 1


def test_the_trail_stays_one_chain_while_records_come_in(
    shanghai: Platform, first: httpx.Client, second: httpx.Client
) -> None:
    hospital = send_a_visit(shanghai)
    more = [hospital.booked(f"V-{number}") for number in range(2, 2 + TIMES)]

    at_once(
        *(lambda one=one: one.get("/visits/V-1") for one in [first, second] * TIMES),
        *(lambda row=row: shanghai.post_records("uploadBooking", [row]) for row in more),
    )

    told = first.get("/trail.json").json()
    assert [line["action"] for line in told["lines"]].count("visit.view") == 2 * TIMES
    assert told["checked"]["broken"] is None


def test_without_the_writers_turn_a_step_is_taken_twice(tmp_path: Path) -> None:
    """The twin: what `Database.writing` guards against."""
    both_have_read = Barrier(2)

    class Unguarded(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.startswith("UPDATE matters"):
                both_have_read.wait(30)
            return super().execute(sql, *values)

    def step(login: str) -> None:
        path = tmp_path / "supervision.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10, factory=Unguarded)) as own:
            own.row_factory = sqlite3.Row
            with suppress(sqlite3.IntegrityError):  # the trail's own number, where it was quick
                matters.move(own, matter, "look", Supervisor(login, login, ""), datetime.now(UTC), "")

    with closing(Database(tmp_path)) as database:
        about = matters.Subject("alert", "k", "t", "d", None, None, "2026-11-22T00:00:00Z")
        matter = matters.take_up(database.writer, about, Supervisor("a", "a", ""), datetime.now(UTC))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(step, ["a", "b"]))

        assert database.writer.execute("SELECT count(*) FROM matter_moves").fetchone()[0] == 2
