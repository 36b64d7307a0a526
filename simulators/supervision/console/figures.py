"""Numbers for the pages, each with the address of the list behind it."""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from simulators.server import SHANGHAI
from simulators.supervision.console.kinds import ACTS, by_chain, by_tables
from simulators.supervision.console.scope import Scope
from simulators.supervision.times import from_store, utc_text

_LAG_SAMPLE = 1000
MINUTES = 60


@dataclass(frozen=True)
class Figure:
    """A number in words, and the list that has as many lines."""

    key: str
    label: str
    value: str
    href: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Counts:
    """How many records of each kind, as `kind@profile`, a scope has, repetitions left out; money in fen."""

    counts: Counter[str]
    paid_fen: int = 0
    refunded_fen: int = 0
    scope: Scope = field(default_factory=Scope)

    def kinds(self, name: str) -> tuple[str, ...]:
        """Which kinds an act is counted by: each of its events once, though chain and tables may both tell it."""
        return tuple(kind for event in ACTS[name] for kind in self._told_by(event))

    def _told_by(self, event: str) -> tuple[str, ...]:
        chained = by_chain(event)
        return chained if any(self.counts[kind] for kind in chained) else by_tables(event)

    def acts(self, name: str) -> int:
        return sum(self.counts[kind] for kind in self.kinds(name))

    def list_of(self, *kinds: str) -> str:
        """The address of the records of these kinds."""
        return f"/records{self.scope.query(kind=','.join(kinds), once='1')}"

    def act(self, name: str, label: str, unit: str = "") -> Figure:
        return Figure(name, label, f"{self.acts(name)}{unit}", self.list_of(*self.kinds(name)))


@dataclass(frozen=True)
class Lag:
    """Seconds from the event to its arrival, over the latest records in real time."""

    median: float | None
    slow: float | None
    last_at: datetime | None


@dataclass(frozen=True)
class Hours:
    starts: list[datetime]
    series: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Minutes:
    """The last hour by the minute: how many records came, and their lag in seconds (None where none came)."""

    starts: list[datetime]
    arrived: list[int]
    median: list[float | None]
    slow: list[float | None]


def counts(connection: sqlite3.Connection, scope: Scope) -> Counts:
    where, values = scope.records()
    found: Counter[str] = Counter()
    rows = connection.execute(
        "SELECT kind, profile, count(*) AS number FROM records "
        f"WHERE {where} AND duplicate = 0 GROUP BY kind, profile",
        values,
    )
    for row in rows:
        found[f"{row['kind']}@{row['profile']}"] += row["number"]
    paid, refunded = connection.execute(
        "SELECT coalesce(sum(CASE WHEN kind = 'payment.confirmed' THEN json_extract(body, '$.amountFen') END), 0),"
        " coalesce(sum(CASE WHEN kind = 'refund.succeeded' THEN json_extract(body, '$.amountFen') END), 0) FROM records "
        "WHERE kind IN ('payment.confirmed', 'refund.succeeded') AND method = 'uploadPayment' AND duplicate = 0 "
        f"AND {where}",
        values,
    ).fetchone()
    return Counts(found, paid, refunded, scope)


def lag(connection: sqlite3.Connection) -> Lag:
    rows = connection.execute(
        "SELECT occurred_at, received_at FROM records WHERE profile = 'shanghai' ORDER BY id DESC LIMIT ?",
        (_LAG_SAMPLE,),
    ).fetchall()
    last = connection.execute("SELECT received_at FROM records ORDER BY id DESC LIMIT 1").fetchone()
    seconds = [_seconds(row) for row in rows]
    median, slow = _middle_and_slow(seconds)
    return Lag(median, slow, from_store(last["received_at"]) if last else None)


def _seconds(row: sqlite3.Row) -> float:
    return (from_store(row["received_at"]) - from_store(row["occurred_at"])).total_seconds()


def _middle_and_slow(seconds: list[float]) -> tuple[float | None, float | None]:
    """Median and 99th percentile."""
    if not seconds:
        return None, None
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


SERIES = {"预约": "booked", "接诊": "started", "处方": "prescribed"}


def by_hour(connection: sqlite3.Connection, now: datetime, scope: Scope) -> Hours:
    """The 24 hours that end with the running one; the scope's days do not matter, its hospital and people do."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    starts = [last - timedelta(hours=back) for back in range(23, -1, -1)]
    found: Counter[tuple[str, str]] = Counter()
    where, values = scope.without_days().records()
    rows = connection.execute(
        "SELECT substr(occurred_at, 1, 13) AS hour, kind || '@' || profile AS kind, count(*) AS number "
        f"FROM records WHERE occurred_at >= ? AND duplicate = 0 AND {where} GROUP BY 1, 2",
        (utc_text(starts[0]), *values),
    )
    for row in rows:
        found[row["hour"], row["kind"]] += row["number"]
    keys = [utc_text(start)[:13] for start in starts]
    known = Counts(Counter(kind for _, kind in found))
    series = {
        name: [sum(found[key, kind] for kind in known.kinds(act)) for key in keys]
        for name, act in SERIES.items()
    }
    return Hours(starts, series)


def by_minute(connection: sqlite3.Connection, now: datetime) -> Minutes:
    """What came in during the last hour; the lag from at most the latest few thousand real-time records."""
    last = now.astimezone(UTC).replace(second=0, microsecond=0)
    starts = [last - timedelta(minutes=back) for back in range(MINUTES - 1, -1, -1)]
    since = utc_text(starts[0])
    arrived = dict(
        connection.execute(
            "SELECT substr(received_at, 1, 16), count(*) FROM records WHERE received_at >= ? GROUP BY 1",
            (since,),
        ).fetchall()
    )
    lags: dict[str, list[float]] = {}
    rows = connection.execute(
        "SELECT occurred_at, received_at FROM records WHERE received_at >= ? AND profile = 'shanghai' "
        "ORDER BY received_at DESC LIMIT ?",
        (since, 5 * _LAG_SAMPLE),
    )
    for row in rows:
        lags.setdefault(row["received_at"][:16], []).append(_seconds(row))
    keys = [utc_text(start)[:16] for start in starts]
    both = [_middle_and_slow(lags.get(key, [])) for key in keys]
    return Minutes(
        starts, [arrived.get(key, 0) for key in keys], [one[0] for one in both], [one[1] for one in both]
    )


def totals(connection: sqlite3.Connection) -> dict[str, dict[str, dict[str, int]]]:
    """profile → method → outcome → number, since the platform exists."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for row in connection.execute("SELECT * FROM counts ORDER BY profile, method"):
        found.setdefault(row["profile"], {}).setdefault(row["method"], {})[row["outcome"]] = row["number"]
    return found


def outcome_sum(connection: sqlite3.Connection, outcome: str) -> int:
    return int(
        connection.execute(
            "SELECT coalesce(sum(number), 0) FROM counts WHERE outcome = ?", (outcome,)
        ).fetchone()[0]
    )


def count_days(connection: sqlite3.Connection, table: str, scope: Scope, condition: str = "1") -> int:
    """Rows of a table that has its time in `at`."""
    where, values = scope.days("at")
    query = f"SELECT count(*) FROM {table} WHERE {where} AND {condition}"
    return int(connection.execute(query, values).fetchone()[0])


def local_label(start: datetime, form: str) -> str:
    return start.astimezone(SHANGHAI).strftime(form)
