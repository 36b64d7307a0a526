"""What the store holds of a day, folded into heads of streams and digests of parts."""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from simulators.server import SHANGHAI
from simulators.supervision.chain import GENESIS, hospital_gaps
from simulators.supervision.times import utc_text

PAGE = 3_000
_LINES = """
    SELECT links.stream, links.stream_number, records.method, links.number, links.digest, records.receipt
    FROM records JOIN links ON links.event_id = records.event_id
    WHERE records.profile = 'shanghai' AND records.occurred_at >= ? AND records.occurred_at < ? AND links.number <= ?
"""


def figures(connection: sqlite3.Connection, day: date, through: int, depth: int) -> dict[str, Any]:
    """Events, records, streams, counts by method, and one digest for each part."""
    rows = connection.execute(
        _LINES + "ORDER BY links.stream, links.stream_number, records.method", (*_bounds(day), through)
    )
    methods: Counter[str] = Counter()
    parts: dict[str, dict[str, Any]] = {}
    digests: dict[str, Any] = {}
    events = 0
    for stream, lines in _by_stream(rows):
        head = b"\x00" * 32
        for row in lines:
            place = row["number"].to_bytes(8, "big") + bytes.fromhex(row["digest"])
            record = row["method"].encode() + b"\x00" + row["receipt"].encode()
            head = hashlib.sha256(head + place + record).digest()
            methods[row["method"]] += 1
        events += len({row["stream_number"] for row in lines})
        name = part_name(stream, depth)
        part = parts.setdefault(name, {"streams": 0, "records": 0})
        part["streams"] += 1
        part["records"] += len(lines)
        entry = f"{stream}\t{len(lines)}\t{lines[-1]['stream_number']}\t{head.hex()}\n"
        digests.setdefault(name, hashlib.sha256()).update(entry.encode())
    for name, part in parts.items():
        part["digest"] = digests[name].hexdigest()
    return {
        "events": events,
        "records": sum(methods.values()),
        "streams": sum(part["streams"] for part in parts.values()),
        "methods": dict(methods),
        "parts": parts,
        "chainHash": head_at(connection, through),
        "missing": [[gap.first, gap.last] for gap in hospital_gaps(connection) if gap.first <= through],
    }


def part_name(stream: str, depth: int) -> str:
    return hashlib.sha256(stream.encode()).hexdigest()[:depth]


def head_at(connection: sqlite3.Connection, number: int) -> str:
    """Empty when that number never came."""
    if number == 0:
        return GENESIS
    row = connection.execute("SELECT head FROM links WHERE number = ?", (number,)).fetchone()
    return row["head"] if row else ""


def explained(
    connection: sqlite3.Connection, day: date, through: int, part: str, after: int
) -> tuple[list[list[Any]], bool]:
    """Lines of one part above the number `after`, and whether there are more; an event's lines stay together."""
    rows = connection.execute(
        _LINES + "AND links.number > ? ORDER BY links.number, records.method", (*_bounds(day), through, after)
    )
    lines: list[list[Any]] = []
    for row in rows:
        if part_name(row["stream"], len(part)) != part:
            continue
        if len(lines) >= PAGE and row["number"] != lines[-1][3]:
            return lines, True
        lines.append(list(row))
    return lines, False


def page_counts(connection: sqlite3.Connection, day: date) -> dict[str, dict[str, int]]:
    """What the platform's page shows of a day: records by profile and interface, doubles counted."""
    found: dict[str, dict[str, int]] = {}
    rows = connection.execute(
        "SELECT profile, method, count(*) AS number FROM records WHERE occurred_at >= ? AND occurred_at < ? "
        "GROUP BY profile, method ORDER BY profile, method",
        _bounds(day),
    )
    for row in rows:
        found.setdefault(row["profile"], {})[row["method"]] = row["number"]
    return found


def _by_stream(rows: Iterable[sqlite3.Row]) -> Iterator[tuple[str, list[sqlite3.Row]]]:
    lines: list[sqlite3.Row] = []
    for row in rows:
        if lines and row["stream"] != lines[0]["stream"]:
            yield lines[0]["stream"], lines
            lines = []
        lines.append(row)
    if lines:
        yield lines[0]["stream"], lines


def _bounds(day: date) -> tuple[str, str]:
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return utc_text(start), utc_text(start + timedelta(days=1))


def canonical(value: Any) -> str:
    """Keys sorted, no white space, as UTF-8: the text that is sealed."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
