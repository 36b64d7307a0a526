"""Numbers for the pages: today, the feed, the last day by the hour."""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from simulators.server import SHANGHAI
from simulators.supervision.times import from_store, utc_text

_LAG_SAMPLE = 1000


ACTS = {
    "booked": ("appointment.booked", "uploadAppointRecord"),
    "started": ("encounter.started", "uploadReferralIndicators", "uploadConsultIndicators"),
    "declined": ("encounter.declined", "declined under tianjin"),
    "prescribed": ("prescription.signed", "uploadRecipeIndicators"),
    "approved": ("prescription.approved", "uploadRecipeIndicators"),
}
"""What a hospital may report as an event, as a record of another profile, or as both: the event, then the records."""


@dataclass(frozen=True)
class Today:
    counts: Counter[str]
    paid_fen: int
    refunded_fen: int

    def acts(self, name: str) -> int:
        """How often, counted once where a chain of events and the records of another profile tell the same."""
        event, *records = ACTS[name]
        return self.counts[event] or sum(self.counts[record] for record in records)


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


def day_bounds(day: datetime) -> tuple[str, str]:
    """Start and end of the day in Shanghai, as the store writes them."""
    start = day.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return utc_text(start), utc_text(start + timedelta(days=1))


def today(connection: sqlite3.Connection, now: datetime) -> Today:
    bounds = day_bounds(now)
    counts: Counter[str] = Counter()
    rows = connection.execute(
        "SELECT method, event_type, count(*) AS number FROM records WHERE occurred_at >= ? AND occurred_at < ? "
        "AND duplicate = 0 GROUP BY method, event_type",
        bounds,
    )
    for row in rows:
        counts[row["event_type"] or row["method"]] += row["number"]
    declined = connection.execute(
        "SELECT count(*) FROM records WHERE method = 'uploadReferralIndicators' AND duplicate = 0 "
        "AND occurred_at >= ? AND occurred_at < ? AND json_extract(body, '$.answerFlag') = '0'",
        bounds,
    ).fetchone()[0]
    counts["declined under tianjin"] = declined
    paid, refunded = connection.execute(
        "SELECT coalesce(sum(CASE WHEN event_type = 'payment.confirmed' THEN json_extract(body, '$.amountFen') END), 0),"
        " coalesce(sum(CASE WHEN event_type = 'refund.succeeded' THEN json_extract(body, '$.amountFen') END), 0) "
        "FROM records WHERE method = 'uploadPayment' AND occurred_at >= ? AND occurred_at < ?",
        bounds,
    ).fetchone()
    return Today(counts, paid, refunded)


def lag(connection: sqlite3.Connection) -> Lag:
    rows = connection.execute(
        "SELECT occurred_at, received_at FROM records WHERE profile = 'shanghai' ORDER BY id DESC LIMIT ?",
        (_LAG_SAMPLE,),
    ).fetchall()
    last = connection.execute("SELECT received_at FROM records ORDER BY id DESC LIMIT 1").fetchone()
    seconds = sorted(
        (from_store(row["received_at"]) - from_store(row["occurred_at"])).total_seconds() for row in rows
    )
    return Lag(
        median=seconds[len(seconds) // 2] if seconds else None,
        slow=seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))] if seconds else None,
        last_at=from_store(last["received_at"]) if last else None,
    )


SERIES = {"预约": "booked", "接诊": "started", "处方": "prescribed"}


def by_hour(connection: sqlite3.Connection, now: datetime) -> Hours:
    """The 24 hours that end with the running one."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    starts = [last - timedelta(hours=back) for back in range(23, -1, -1)]
    counts: Counter[tuple[str, str]] = Counter()
    rows = connection.execute(
        "SELECT substr(occurred_at, 1, 13) AS hour, coalesce(event_type, method) AS kind, count(*) AS number "
        "FROM records WHERE occurred_at >= ? AND duplicate = 0 GROUP BY hour, kind",
        (utc_text(starts[0]),),
    )
    for row in rows:
        counts[row["hour"], row["kind"]] += row["number"]
    keys = [utc_text(start)[:13] for start in starts]
    known = {kind for _, kind in counts}
    series = {}
    for name, act in SERIES.items():
        event, *records = ACTS[act]
        kinds = [event] if event in known else records
        series[name] = [sum(counts[key, kind] for kind in kinds) for key in keys]
    return Hours(starts, series)


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


def count_since(connection: sqlite3.Connection, table: str, since: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table} WHERE at >= ?", (since,)).fetchone()[0])
