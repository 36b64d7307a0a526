"""Samples for inspection: anybody draws the same ones from what is published with them.

    rank(number) = SHA-256(head ‖ "\n" ‖ seed ‖ "\n" ‖ number), UTF-8, hex; the sample is the `wanted` numbers of lowest rank

`head` is the head of the trail after the line that says who draws what with which seed, and from which population (its digest). That
line carries a random word of the platform's, so nobody can try seeds before she names one. The population is what the platform had up
to one record; it is kept with the draw, because visits are joined and alerts explained later. A draw is never made anew for a nicer
result: it is another row.
"""

import hashlib
import json
import secrets
import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from simulators.supervision.oversight import trail
from simulators.supervision.settings import Supervisor
from simulators.supervision.times import from_store, utc_text

MOST = 200
_RAISED = "SELECT record_id FROM alerts UNION SELECT record_id FROM explained"
KINDS = {
    "visits": ("就诊", "visit_no", "visit_no IS NOT NULL AND kind = 'encounter.started'"),
    "prescriptions": ("处方", "business_no", "method = 'uploadPrescription'"),
    "views": ("健康档案浏览", "business_no", "method = 'uploadRecordView'"),
    "alerts": (
        "有过预警的就诊", "visit_no",
        f"visit_no IN (SELECT visit_no FROM records WHERE id <= {{up_to:d}} AND id IN ({_RAISED}))",
    ),
}  # fmt: skip
"""What can be drawn: its name, the column of its number, and the records it is found in."""


@dataclass(frozen=True)
class Sample:
    id: int
    at: datetime
    login: str
    name: str
    kind: str
    scope: str
    reason: str
    seed: str
    wanted: int
    up_to: int
    population: int
    population_digest: str
    trail_number: int

    @property
    def says(self) -> str:
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class Draw:
    """What a sample was drawn from, and what came out. Without a head: of before it was part of the order."""

    head: str
    numbers: list[str]
    chosen: list[str]


@dataclass(frozen=True)
class Result:
    good: bool
    note: str
    name: str
    at: datetime


def rank(key: str, number: str) -> str:
    return hashlib.sha256(f"{key}\n{number}".encode()).hexdigest()


def key_of(head: str, seed: str) -> str:
    """What the order depends on beside the numbers."""
    return f"{head}\n{seed}" if head else seed


def pick(key: str, population: Iterable[str], wanted: int) -> list[str]:
    """Drawn without replacement; the order of the population does not matter."""
    return sorted(set(population), key=lambda number: (rank(key, number), number))[:wanted]


def listed(population: Iterable[str]) -> str:
    """The numbers in order, each with a line feed after it: what the digest is of, and what anybody may fetch."""
    return "".join(f"{number}\n" for number in sorted(set(population)))


def digest(population: Iterable[str]) -> str:
    return hashlib.sha256(listed(population).encode()).hexdigest()


def population(
    connection: sqlite3.Connection, kind: str, where: str, values: list[str], up_to: int
) -> list[str]:
    """The numbers that can be drawn. `where` narrows records, to what was known up to that one."""
    _, column, condition = KINDS[kind]
    rows = connection.execute(
        f"SELECT DISTINCT {column} AS number FROM records WHERE {condition.format(up_to=up_to)} AND {where} AND id <= ? ORDER BY 1",
        (*values, up_to),
    )
    return [row["number"] for row in rows]


def record_of(kind: str) -> str:
    """The query for the first record of a number, by an index."""
    _, column, condition = KINDS[kind]
    where = "visit_no = ?" if column == "visit_no" else f"{condition} AND business_no = ?"
    return f"SELECT min(id) AS id, visit_no FROM records WHERE {where}"


def newest(connection: sqlite3.Connection) -> int:
    """The last record the platform has."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM records").fetchone()[0])


def draw(
    connection: sqlite3.Connection, who: Supervisor, at: datetime, *, kind: str, scope: str, reason: str, seed: str,
    wanted: int, numbers: list[str], up_to: int,
) -> int:  # fmt: skip
    """Write the draw down; returns its id. `numbers` is the population up to record `up_to`; what came out is not looked at here."""
    written = trail.write(
        connection, at, who, "sample.draw", f"sample of {kind}",
        seed=seed, wanted=str(wanted), scope=scope, up_to=str(up_to), population=str(len(numbers)),
        population_digest=digest(numbers), reason=reason, nonce=secrets.token_hex(16),
    )  # fmt: skip
    made = connection.execute(
        "INSERT INTO samples (at, login, name, kind, scope, reason, seed, wanted, up_to, population, "
        "population_digest, trail_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (utc_text(at), who.login, who.name, kind, scope, reason, seed, wanted, up_to, len(numbers), digest(numbers),
         written),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO sample_draws (sample_id, trail_head, numbers) SELECT ?, head, ? FROM trail WHERE number = ?",
        (made.lastrowid, zlib.compress(listed(numbers).encode()), written),
    )
    assert made.lastrowid is not None
    return made.lastrowid


def drawn(connection: sqlite3.Connection, sample: Sample) -> Draw | None:
    """What came out; worked out again where it was not written down any more. None for one that kept no population."""
    row = connection.execute("SELECT * FROM sample_draws WHERE sample_id = ?", (sample.id,)).fetchone()
    if row is None:
        return None
    numbers = zlib.decompress(row["numbers"]).decode().splitlines()
    if row["chosen"] is not None:
        return Draw(row["trail_head"], numbers, json.loads(row["chosen"]))
    return Draw(
        row["trail_head"], numbers, pick(key_of(row["trail_head"], sample.seed), numbers, sample.wanted)
    )


def keep(connection: sqlite3.Connection, sample: int, chosen: list[str]) -> None:
    """Write down what came out, once."""
    connection.execute(
        "UPDATE sample_draws SET chosen = ? WHERE sample_id = ? AND chosen IS NULL",
        (json.dumps(chosen, ensure_ascii=False), sample),
    )


def judge(
    connection: sqlite3.Connection, sample: int, number: str, who: Supervisor, at: datetime, *, good: bool, note: str
) -> bool:  # fmt: skip
    """What an inspector found in one of the drawn; said once, False when it was said before."""
    added = connection.execute(
        "INSERT OR IGNORE INTO sample_results VALUES (?, ?, ?, ?, ?, ?, ?)",
        (sample, number, utc_text(at), who.login, who.name, int(good), note),
    )
    if added.rowcount == 1:
        verdict = "good" if good else "bad"
        trail.write(
            connection, at, who, "sample.judge", f"sample {sample}", number=number, verdict=verdict, note=note
        )
    return added.rowcount == 1


def results(connection: sqlite3.Connection, sample: int) -> dict[str, Result]:
    rows = connection.execute("SELECT * FROM sample_results WHERE sample_id = ?", (sample,))
    return {
        row["number"]: Result(bool(row["good"]), row["note"], row["name"], from_store(row["at"]))
        for row in rows
    }


def get(connection: sqlite3.Connection, number: int) -> Sample | None:
    row = connection.execute("SELECT * FROM samples WHERE id = ?", (number,)).fetchone()
    return _sample(row) if row else None


def latest(connection: sqlite3.Connection, before: int | None, limit: int) -> list[Sample]:
    rows = connection.execute(
        "SELECT * FROM samples WHERE id < coalesce(?, id + 1) ORDER BY id DESC LIMIT ?", (before, limit)
    )
    return [_sample(row) for row in rows]


def _sample(row: sqlite3.Row) -> Sample:
    return Sample(**{name: row[name] for name in row.keys() if name != "at"}, at=from_store(row["at"]))  # noqa: SIM118
