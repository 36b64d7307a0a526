"""Matters: what a supervisor follows until it is settled. One table says which step comes after which.

    new ──look──► looked ──ask──► asked ──answer──► answered ──close──► closed
     └────ask────────────────────►  │                  └─ask─► asked        │
                       looked ◄─withdraw               looked ◄──reopen─────┘      looked ──close──► closed

A matter that nobody touched has no row: it is `new`. Each step has a person, a note and a line in the trail.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from simulators.supervision.oversight import trail
from simulators.supervision.settings import Supervisor
from simulators.supervision.times import from_store, utc_text

HOSPITAL = Supervisor("", "医院", "")
"""Who takes the step `answer`."""
NOTE_LENGTH = 500


class Standing(StrEnum):
    NEW = "new"
    LOOKED = "looked"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


S = Standing
MOVES: dict[tuple[Standing, str], Standing] = {
    (S.NEW, "look"): S.LOOKED,
    (S.NEW, "ask"): S.ASKED,
    (S.LOOKED, "ask"): S.ASKED,
    (S.LOOKED, "close"): S.CLOSED,
    (S.ASKED, "answer"): S.ANSWERED,
    (S.ASKED, "withdraw"): S.LOOKED,
    (S.ANSWERED, "ask"): S.ASKED,
    (S.ANSWERED, "close"): S.CLOSED,
    (S.CLOSED, "reopen"): S.LOOKED,
}
STANDINGS = {
    S.NEW: "新",
    S.LOOKED: "已查看",
    S.ASKED: "已询问医院",
    S.ANSWERED: "医院已答复",
    S.CLOSED: "已办结",
}
VERBS = {
    "look": "标为已查看",
    "ask": "询问医院",
    "answer": "答复",
    "withdraw": "撤回询问",
    "close": "办结",
    "reopen": "重新处理",
}
NEEDS_NOTE = frozenset({"close", "reopen", "withdraw"})


class NotAllowedError(Exception):
    """This step does not follow from where the matter stands; the text is for the supervisor."""


@dataclass(frozen=True)
class Subject:
    """What a matter is about, as it was when somebody first took it up."""

    kind: str
    key: str
    title: str
    detail: str
    visit_no: str | None
    record_id: int | None
    at: str


@dataclass(frozen=True)
class Matter:
    id: int
    subject: Subject
    standing: Standing

    @property
    def verbs(self) -> list[str]:
        """What a supervisor may do next."""
        return [verb for (standing, verb) in MOVES if standing is self.standing and verb != "answer"]


@dataclass(frozen=True)
class Step:
    at: datetime
    name: str
    verb: str
    became: str
    note: str


def find(connection: sqlite3.Connection, kind: str, key: str) -> Matter | None:
    row = connection.execute("SELECT * FROM matters WHERE kind = ? AND key = ?", (kind, key)).fetchone()
    return _matter(row) if row else None


def get(connection: sqlite3.Connection, number: int) -> Matter | None:
    row = connection.execute("SELECT * FROM matters WHERE id = ?", (number,)).fetchone()
    return _matter(row) if row else None


def page(connection: sqlite3.Connection, standing: str, before: int | None, limit: int) -> list[Matter]:
    """Newest first, below `before`. `standing` may be `open`: whatever is not closed."""
    rows = connection.execute(
        "SELECT * FROM matters WHERE id < coalesce(:before, id + 1) AND (:standing IN ('', standing) "
        "OR (:standing = 'open' AND standing <> 'closed')) ORDER BY id DESC LIMIT :limit",
        {"before": before, "standing": standing, "limit": limit},
    ).fetchall()
    return [_matter(row) for row in rows]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many of each standing."""
    rows = connection.execute("SELECT standing, count(*) AS number FROM matters GROUP BY standing")
    return dict.fromkeys(map(str, Standing), 0) | {row["standing"]: row["number"] for row in rows}


def take_up(connection: sqlite3.Connection, subject: Subject, who: Supervisor, at: datetime) -> Matter:
    """The matter of this subject; made when it is not there yet, which is a line of the trail."""
    made = connection.execute(
        "INSERT OR IGNORE INTO matters (kind, key, title, detail, visit_no, record_id, at, standing) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'new')",
        (subject.kind, subject.key, subject.title, subject.detail, subject.visit_no, subject.record_id, subject.at),
    )  # fmt: skip
    found = find(connection, subject.kind, subject.key)
    assert found is not None
    if made.rowcount == 1:
        trail.write(connection, at, who, "matter.take_up", f"matter {found.id}", key=subject.key)
    return found


def move(
    connection: sqlite3.Connection, matter: Matter, verb: str, who: Supervisor, at: datetime, note: str
) -> Matter:
    """One step, in the caller's transaction. Raises NotAllowedError; the present standing is read again."""
    now = get(connection, matter.id)
    assert now is not None
    became = MOVES.get((now.standing, verb))
    if became is None:
        raise NotAllowedError(f"这件事项现在是“{STANDINGS[now.standing]}”，不能{VERBS.get(verb, verb)}")
    note = note.strip()[:NOTE_LENGTH]
    if verb in NEEDS_NOTE and len(note) < 2:
        raise NotAllowedError(f"{VERBS[verb]}需要写明说明")
    connection.execute("UPDATE matters SET standing = ? WHERE id = ?", (became, now.id))
    connection.execute(
        "INSERT INTO matter_moves (matter_id, at, login, name, verb, was, became, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (now.id, utc_text(at), who.login, who.name, verb, now.standing, became, note),
    )
    trail.write(connection, at, who, f"matter.{verb}", f"matter {now.id}", key=now.subject.key, note=note)
    return Matter(now.id, now.subject, became)


def steps(connection: sqlite3.Connection, number: int) -> list[Step]:
    """What was done, first to last."""
    rows = connection.execute("SELECT * FROM matter_moves WHERE matter_id = ? ORDER BY id", (number,))
    return [
        Step(from_store(row["at"]), row["name"], VERBS[row["verb"]], STANDINGS[Standing(row["became"])], row["note"])
        for row in rows
    ]  # fmt: skip


def _matter(row: sqlite3.Row) -> Matter:
    subject = Subject(
        row["kind"], row["key"], row["title"], row["detail"], row["visit_no"], row["record_id"], row["at"]
    )
    return Matter(row["id"], subject, Standing(row["standing"]))
