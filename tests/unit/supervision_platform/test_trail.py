"""The trail as a list: narrowed, read to its end, and with a line for every deed."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest

from simulators.supervision.console.checking import LINES
from simulators.supervision.oversight import reveals, trail
from simulators.supervision.settings import Supervisor
from simulators.supervision.store import Database
from tests.unit.supervision_platform.at_the_console import ORDER, lines, send_a_visit, signed_in
from tests.unit.supervision_platform.conftest import Running
from tests.unit.supervision_platform.sender import Platform

WHO = Supervisor("supervisor", "监管员", "")
OTHER = Supervisor("supervisor2", "监管员乙", "")
AT = datetime(2026, 11, 23, tzinfo=UTC)
DRAW = {"kind": "visits", "wanted": "1", "seed": "seed-1", "reason": "季度抽查"}


@pytest.fixture
def first(shanghai: Platform) -> Iterator[httpx.Client]:
    send_a_visit(shanghai)
    with signed_in(shanghai) as client:
        yield client


@pytest.mark.parametrize("name", ["login", "action", "subject"])
def test_older_lines_are_narrowed_like_the_first_ones(
    first: httpx.Client, strict_platform: Running, name: str
) -> None:
    wanted = {"login": "supervisor2", "action": "visit.view", "subject": "visit V-7"}
    with strict_platform.database.writing() as connection:
        for _ in range(LINES + 5):
            trail.write(connection, AT, OTHER, "visit.view", "visit V-7")
            trail.write(connection, AT, WHO, "record.view", "record 1")

    page = first.get("/trail", params={name: wanted[name]}).text
    more = re.search(r'href="(/trail[^"]+)">更早的留痕', page)
    assert more is not None
    older = first.get(unescape(more[1])).text

    assert page.count("<strong>查看就诊</strong>") == LINES
    assert older.count("<strong>查看就诊</strong>") == 5
    assert "<strong>查看记录</strong>" not in page + older


def test_the_form_of_the_trail_keeps_what_the_address_narrowed_to(first: httpx.Client) -> None:
    page = first.get("/trail", params={"action": "reveal.look,reveal.export"}).text

    assert 'type="hidden" name="action" value="reveal.look,reveal.export"' in page


def test_taking_a_matter_up_is_a_line_once(first: httpx.Client) -> None:
    for _ in range(2):
        first.post("/complaints/8")

    taken = [one for one in lines(first) if one["action"] == "matter.take_up"]
    assert [one["subject"] for one in taken] == ["matter 1"]


def test_a_finding_of_a_sample_is_a_matter_somebody_took_up(first: httpx.Client) -> None:
    sample = first.post("/samples", data=DRAW).url.path
    first.post(f"{sample}/results", data={"number": "V-1", "verdict": "bad", "note": "问诊过短"})

    assert [one["action"] for one in lines(first)][-3:] == ["sample.judge", "matter.take_up", "sample.view"]


@pytest.mark.parametrize("form", [".json", "/population.txt"])
def test_a_sample_is_looked_at_in_every_form(first: httpx.Client, form: str) -> None:
    sample = first.post("/samples", data=DRAW).url.path
    before = len(lines(first))

    first.get(f"{sample}{form}")

    assert [(one["action"], one["subject"]) for one in lines(first)[before:]] == [("sample.view", "sample 1")]


def test_a_file_of_before_exports_were_granted_grants_none(tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path)) as database:
        with database.writing() as connection:
            reveals.ask(connection, WHO, AT, "V-1", ORDER["authority"], ORDER["reason"], export=True)
        database.writer.execute("ALTER TABLE reveals DROP COLUMN export")

    with contextlib.closing(Database(tmp_path)) as database, database.reading() as connection:
        assert [one.export for one in reveals.of_visit(connection, "V-1")] == [False]


def test_the_four_eyes_hold_for_an_export_too(tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path)) as database:
        with database.writing() as connection:
            number = reveals.ask(connection, WHO, AT, "V-1", ORDER["authority"], ORDER["reason"], export=True)
            reveals.decide(connection, number, OTHER, AT, granted=True, note="")
            granted = reveals.get(connection, number)
        assert granted is not None
        assert reveals.may_export(granted, WHO, AT)
        assert not reveals.may_export(granted, OTHER, AT)
        with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
            connection.execute("UPDATE reveals SET decided_login = login")
