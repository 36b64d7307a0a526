"""The hospital's hash chain and its gaps (docs/profiles/shanghai.md, The chain)."""

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.supervision.answers import Inner, RecordRefusalError

GENESIS = "0" * 64
_GAP_LIST = 100


@dataclass(frozen=True)
class Gap:
    first: int
    last: int


def head_after(previous: str, number: int, digest: str) -> str:
    data = bytes.fromhex(previous) + number.to_bytes(8, "big") + bytes.fromhex(digest)
    return hashlib.sha256(data).hexdigest()


def add_link(connection: sqlite3.Connection, record: Mapping[str, Any]) -> dict[int, str]:
    """Put the record's place into the chain; number → state of the links that could now be judged.

    A break is no reason to refuse: it is what the supervisor must see. Raises RecordRefusalError when the
    place is taken by another event, or the event stands at another place.
    """
    event_id, number = record["eventId"], int(record["hospitalSeq"])
    stream, stream_number = record["stream"], int(record["streamSeq"])
    taken = connection.execute(
        "SELECT * FROM links WHERE event_id = ? OR number = ? OR (stream = ? AND stream_number = ?)",
        (event_id, number, stream, stream_number),
    ).fetchall()
    for link in taken:
        _check_place(link, record)
    if taken:
        return {}
    connection.execute(
        "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open')",
        (number, event_id, record["eventType"], stream, stream_number,
         record["eventDigest"], record["chainHash"], record.get("prevHash") or None),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO streams VALUES (?, 1, ?) "
        "ON CONFLICT (stream) DO UPDATE SET seen = seen + 1, highest = max(highest, excluded.highest)",
        (stream, stream_number),
    )
    states = {one: _judge(connection, one) for one in (number, number + 1)}
    return {one: state for one, state in states.items() if state}


def _check_place(link: sqlite3.Row, record: Mapping[str, Any]) -> None:
    if link["event_id"] != record["eventId"]:
        field = "hospitalSeq" if link["number"] == int(record["hospitalSeq"]) else "streamSeq"
        raise RecordRefusalError(Inner.FAILED, f"{field}已被另一事件使用")
    place = (link["number"], link["stream"], link["stream_number"])
    if link["head"] != record["chainHash"]:
        raise RecordRefusalError(Inner.FAILED, "chainHash与已接收的同一事件不一致")
    if place != (int(record["hospitalSeq"]), record["stream"], int(record["streamSeq"])):
        raise RecordRefusalError(Inner.FAILED, "hospitalSeq与已接收的同一事件不一致")


def _judge(connection: sqlite3.Connection, number: int) -> str | None:
    link = connection.execute("SELECT * FROM links WHERE number = ?", (number,)).fetchone()
    if link is None:
        return None
    before = connection.execute("SELECT head FROM links WHERE number = ?", (number - 1,)).fetchone()
    known = GENESIS if number == 1 else before["head"] if before else None
    said = link["previous"]
    if known is not None and said is not None and known != said:
        state = "broken"
    elif (previous := known or said) is None:
        state = "open"
    elif head_after(previous, number, link["digest"]) != link["head"]:
        state = "broken"
    else:
        state = "good" if known else "open"
    connection.execute("UPDATE links SET state = ? WHERE number = ?", (state, number))
    return state


def hospital_gaps(connection: sqlite3.Connection, limit: int = _GAP_LIST) -> list[Gap]:
    """Runs of numbers never seen below the highest one, the first `limit` of them."""
    rows = connection.execute(
        "SELECT previous + 1 AS first, number - 1 AS last FROM "
        "(SELECT number, lag(number, 1, 0) OVER (ORDER BY number) AS previous FROM links) "
        "WHERE number > previous + 1 ORDER BY number LIMIT ?",
        (limit,),
    )
    return [Gap(row["first"], row["last"]) for row in rows]


def chain_figures(connection: sqlite3.Connection) -> dict[str, Any]:
    """Counts and the head, for the console and `/_test/summary`."""
    seen, highest = connection.execute("SELECT count(*), coalesce(max(number), 0) FROM links").fetchone()
    bad = dict(
        connection.execute(
            "SELECT state, count(*) FROM links WHERE state != 'good' GROUP BY state"
        ).fetchall()
    )
    streams, missing = connection.execute(
        "SELECT count(*), coalesce(sum(highest - seen), 0) FROM streams WHERE highest > seen"
    ).fetchone()
    head = connection.execute("SELECT head FROM links WHERE number = ?", (highest,)).fetchone()
    return {
        "seen": seen,
        "highest": highest,
        "missing": highest - seen,
        "good": seen - sum(bad.values()),
        "open": bad.get("open", 0),
        "broken": bad.get("broken", 0),
        "head": head["head"] if head else GENESIS,
        "streams_with_gaps": streams,
        "missing_in_streams": missing,
    }
