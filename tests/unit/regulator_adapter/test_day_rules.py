"""What a day is in figures: both sides come to the same, and no other set of records does."""

import sqlite3
from datetime import date
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulator_adapter.days.rules import (
    Line,
    depth_for,
    differing_parts,
    folded,
    holes,
    part_of,
    ranges,
    same,
)
from simulators.supervision.days import figures
from simulators.supervision.store.schema import SCHEMA

DAY = date(2026, 11, 20)
METHODS = ("uploadRealName", "uploadBooking", "uploadChainLink")


@st.composite
def days(draw: st.DrawFn) -> list[Line]:
    """Lines of a day as the inbox makes them: numbers without repetition, each event in one place of one stream."""
    streams = draw(st.lists(st.sampled_from(["visit:甲", "visit:a", "person:Z", "catalogue"]), max_size=25))
    places: dict[str, int] = {}
    lines = []
    for number, stream in enumerate(streams, 1):
        places[stream] = places.get(stream, 0) + 1
        digest = sha256(f"{number}".encode()).digest()
        for method in draw(st.sets(st.sampled_from(METHODS), min_size=1)):
            lines.append(Line(stream, places[stream], method, number, digest, f"R{number}{method}"))
    return lines


def stored(lines: list[Line]) -> sqlite3.Connection:
    """The same records in the platform's store."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    for line in lines:
        connection.execute(
            "INSERT OR IGNORE INTO links VALUES (?, ?, 't', ?, ?, ?, '', NULL, 'good')",
            (line.number, str(line.number), line.stream, line.sequence, line.digest.hex()),
        )
        connection.execute(
            "INSERT INTO records (profile, method, business_no, event_id, occurred_at, received_at, receipt, request_digest, "
            "duplicate, body) VALUES ('shanghai', ?, '', ?, '2026-11-20T01:00:00.000Z', '', ?, '', 0, '')",
            (line.method, str(line.number), line.receipt),
        )
    return connection


@given(days(), st.integers(0, 2))
def test_both_sides_fold_a_day_to_the_same(lines: list[Line], depth: int) -> None:
    theirs = figures.figures(stored(lines), DAY, 10**6, depth)

    ours = folded(lines, depth)

    assert {name: theirs[name] for name in ours} == ours


@given(days(), st.data())
def test_a_record_that_is_missing_altered_or_more_shows_in_its_part(
    lines: list[Line], data: st.DataObject
) -> None:
    ours = folded(lines, 1)
    new = Line("person:new", 1, "uploadRealName", 999, bytes(32), "R")
    changed = [*lines, new]
    if lines:
        at = data.draw(st.integers(0, len(lines) - 1))
        one = lines[at]
        other = Line(one.stream, one.sequence, one.method, one.number, one.digest, one.receipt + "x")
        changed = data.draw(
            st.sampled_from([changed, lines[:at] + lines[at + 1 :], [*lines[:at], other, *lines[at + 1 :]]])
        )
    stated = {"chainHash": ""}

    theirs = folded(changed, 1)

    assert not same(ours | stated, theirs | stated)
    touched = {part_of(line.stream, 1) for line in set(lines) ^ set(changed)}
    assert set(differing_parts(ours, theirs)) == touched


@given(days())
def test_the_order_of_arrival_is_nobodys_business(lines: list[Line]) -> None:
    assert folded(lines, 1) == folded(list(reversed(lines)), 1) == folded([*lines, *lines], 1)


@given(days(), st.data())
def test_holes_are_exactly_what_one_side_has_not(lines: list[Line], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(lines), unique=True)) if lines else []

    found = holes(lines, kept)

    assert set(found.missing) == set(lines) - set(kept)
    assert found.extra == []


def test_another_head_of_the_chain_is_another_day_but_one_that_was_not_seen_is_not() -> None:
    ours = folded([], 0) | {"chainHash": "aa"}

    assert same(ours, folded([], 0) | {"chainHash": "aa"})
    assert same(ours, folded([], 0) | {"chainHash": ""})
    assert not same(ours, folded([], 0) | {"chainHash": "bb"})


@pytest.mark.parametrize(
    ("events", "depth"), [(0, 0), (1_000, 0), (1_001, 1), (16_000, 1), (16_001, 2), (10**9, 2)]
)
def test_a_part_has_about_a_thousand_lines_until_there_are_256_parts(events: int, depth: int) -> None:
    assert depth_for(events) == depth


@given(st.sets(st.integers(1, 400)))
def test_ranges_name_every_number_once(numbers: set[int]) -> None:
    found = ranges(numbers, most=1_000)

    assert {one for first, last in found for one in range(first, last + 1)} == numbers
    assert all(after[0] > before[1] + 1 for before, after in pairwise(found))


def test_ranges_stop_at_the_most_that_is_shown() -> None:
    assert ranges([1, 3, 5, 6, 9], most=2) == [[1, 1], [3, 3]]
