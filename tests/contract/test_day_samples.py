"""Numbered days: what both sides must make of the same records, written down once and put through each side's own code."""

import json
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from regulator_adapter.days.rules import Line, folded
from simulators.supervision.days import figures
from simulators.supervision.store.schema import SCHEMA

SAMPLES = sorted((Path(__file__).parent / "samples" / "supervision_days").glob("*.json"))


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("file", SAMPLES, ids=lambda path: path.stem)
def test_our_side_folds_the_sample_as_it_is_written(file: Path) -> None:
    sample = read(file)
    lines = [
        Line(stream, sequence, method, number, bytes.fromhex(digest), receipt)
        for stream, sequence, method, number, digest, receipt in sample["lines"]
    ]

    assert folded(lines, sample["depth"]) == sample["figures"]


@pytest.mark.parametrize("file", SAMPLES, ids=lambda path: path.stem)
def test_the_platforms_side_folds_the_sample_as_it_is_written(file: Path) -> None:
    sample = read(file)
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    for stream, sequence, method, number, digest, receipt in sample["lines"]:
        connection.execute(
            "INSERT OR IGNORE INTO links VALUES (?, ?, 't', ?, ?, ?, '', NULL, 'good')",
            (number, f"event-{number}", stream, sequence, digest),
        )
        connection.execute(
            "INSERT INTO records (profile, method, business_no, event_id, occurred_at, received_at, receipt, request_digest, "
            "duplicate, body) VALUES ('shanghai', ?, '', ?, '2026-11-20T01:00:00.000Z', '', ?, '', 0, '')",
            (method, f"event-{number}", receipt),
        )

    made = figures.figures(connection, date(2026, 11, 20), 10**6, sample["depth"])

    assert {name: made[name] for name in sample["figures"]} == sample["figures"]


def test_there_are_samples() -> None:
    assert [path.stem.split("-")[0] for path in SAMPLES] == ["1", "2", "3", "4"]
