"""The supervisors' own trail: every deed and every look is a line, and each line is bound to the one before.

    entry = SHA-256 of the line's canonical JSON {number, at, login, name, action, subject, detail}: keys sorted, UTF-8, no spaces
    head  = SHA-256(head before ‖ entry) over the raw bytes; before line 1 stand 32 zero bytes

In two steps, so that an excerpt can carry the entries of other lines without their words and still be checked. Each line's detail has a
random `salt`: an entry without its words tells nothing to whoever tries likely words.
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulators.supervision.settings import Supervisor
from simulators.supervision.times import utc_text

START = "0" * 64
SALT = "salt"


@dataclass(frozen=True)
class Line:
    number: int
    at: str
    login: str
    name: str
    action: str
    subject: str
    detail: Mapping[str, str]
    entry: str
    head: str

    @property
    def said(self) -> dict[str, object]:
        """The words that `entry` is the digest of."""
        return {
            "number": self.number, "at": self.at, "login": self.login, "name": self.name, "action": self.action,
            "subject": self.subject, "detail": dict(self.detail),
        }  # fmt: skip

    @property
    def words(self) -> dict[str, str]:
        """The detail that people read."""
        return {key: value for key, value in self.detail.items() if key != SALT}

    @property
    def digest(self) -> str:
        """What `entry` must be."""
        text = json.dumps(self.said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Checked:
    """What a walk found: `first` to `lines` were looked at, `broken` is the first line that does not fit."""

    first: int
    lines: int
    head: str
    broken: int | None


def bound(before: str, entry: str) -> str:
    """The head after a line."""
    return hashlib.sha256(bytes.fromhex(before) + bytes.fromhex(entry)).hexdigest()


def write(
    connection: sqlite3.Connection, at: datetime, who: Supervisor, action: str, subject: str, **detail: str
) -> int:
    """Add a line in the caller's transaction; returns its number."""
    last = connection.execute("SELECT number, head FROM trail ORDER BY number DESC LIMIT 1").fetchone()
    number, before = (last["number"] + 1, last["head"]) if last else (1, START)
    detail = {**detail, SALT: secrets.token_hex(16)}
    line = Line(number, utc_text(at), who.login, who.name, action, subject, detail, "", "")
    entry = line.digest
    connection.execute(
        "INSERT INTO trail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, line.at, line.login, line.name, action, subject,
         json.dumps(detail, ensure_ascii=False, sort_keys=True), entry, bound(before, entry)),
    )  # fmt: skip
    return int(number)


def line_of(row: sqlite3.Row) -> Line:
    """A stored line."""
    return Line(
        row["number"], row["at"], row["login"], row["name"], row["action"], row["subject"],
        json.loads(row["detail"]), row["entry"], row["head"],
    )  # fmt: skip


def check(connection: sqlite3.Connection, *, latest: int | None = None) -> Checked:
    """Numbers without a hole, entries that fit their words, heads that follow: of all lines, or of the `latest` ones."""
    highest = connection.execute("SELECT coalesce(max(number), 0) FROM trail").fetchone()[0]
    count = max(highest - latest, 0) if latest is not None else 0
    start = connection.execute("SELECT head FROM trail WHERE number = ?", (count,)).fetchone()
    before, first = (start["head"] if start else START), count + 1
    for row in connection.execute("SELECT * FROM trail WHERE number > ? ORDER BY number", (count,)):
        line = line_of(row)
        fits = (
            line.number == count + 1 and line.entry == line.digest and line.head == bound(before, line.entry)
        )
        if not fits:
            return Checked(first, count, before, line.number)
        before, count = line.head, line.number
    return Checked(first, count, before, None)
