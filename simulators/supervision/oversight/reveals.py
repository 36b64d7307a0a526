"""A person's name, number and telephone in the clear: one supervisor asks, another decides, and for a few minutes the first may look.

What she may carry away is asked for and decided with it (`export`). Every look is a line of the trail. Nobody decides over her own request (the table refuses it, too); what is not decided in a day is over.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators.supervision.oversight import trail
from simulators.supervision.settings import Supervisor
from simulators.supervision.times import from_store, utc_text

DECIDE_WITHIN = timedelta(hours=24)
LOOK_FOR = timedelta(minutes=15)
WANTED = "请填写检查文书号（4至80字）和原因（4至300字）"
CLEAR = ("reveal.look", "reveal.export", "reveal.chat")
"""Lines of the trail that stand for persons seen in the clear."""
SAYS = {"waiting": "待批准", "refused": "未批准", "open": "可查看", "over": "已到期"}


class RefusedError(Exception):
    """What was asked is not possible; the text is for the supervisor."""


@dataclass(frozen=True)
class Reveal:
    id: int
    visit_no: str
    at: datetime
    login: str
    name: str
    authority: str
    reason: str
    decide_by: datetime
    decided_login: str | None
    decided_name: str | None
    granted: bool | None
    note: str
    ends_at: datetime | None
    export: bool

    def stands(self, now: datetime) -> str:
        """waiting, refused, open or over."""
        if self.granted is None:
            return "waiting" if now < self.decide_by else "over"
        if not self.granted:
            return "refused"
        return "open" if self.ends_at is not None and now < self.ends_at else "over"


def ask(
    connection: sqlite3.Connection, who: Supervisor, at: datetime, visit_no: str, authority: str, reason: str,
    *, export: bool = False,
) -> int:  # fmt: skip
    """A request; one that waits or is open and asks for as much is given back instead of a second one."""
    authority, reason = authority.strip(), reason.strip()
    if not 4 <= len(authority) <= 80 or not 4 <= len(reason) <= 300:
        raise RefusedError(WANTED)
    for one in of_visit(connection, visit_no):
        if one.login == who.login and one.stands(at) in ("waiting", "open") and one.export >= export:
            return one.id
    made = connection.execute(
        "INSERT INTO reveals (visit_no, at, login, name, authority, reason, decide_by, export) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            visit_no,
            utc_text(at),
            who.login,
            who.name,
            authority,
            reason,
            utc_text(at + DECIDE_WITHIN),
            export,
        ),
    )
    assert made.lastrowid is not None
    trail.write(
        connection, at, who, "reveal.ask", f"visit {visit_no}",
        reveal=str(made.lastrowid), authority=authority, reason=reason, with_export="yes" if export else "no",
    )  # fmt: skip
    return made.lastrowid


def decide(
    connection: sqlite3.Connection, number: int, who: Supervisor, at: datetime, *, granted: bool, note: str
) -> Reveal:
    """Four eyes: somebody else than who asked, once, and in time."""
    reveal = _must(connection, number)
    if reveal.login == who.login:
        raise RefusedError("须由另一名监管人员批准，不能批准自己的申请")
    if reveal.stands(at) != "waiting":
        raise RefusedError(f"这项申请{SAYS[reveal.stands(at)]}，不能再作决定")
    connection.execute(
        "UPDATE reveals SET decided_at = ?, decided_login = ?, decided_name = ?, granted = ?, note = ?, ends_at = ? "
        "WHERE id = ?",
        (utc_text(at), who.login, who.name, int(granted), note.strip()[:300],
         utc_text(at + LOOK_FOR) if granted else None, number),
    )  # fmt: skip
    action = "reveal.grant" if granted else "reveal.refuse"
    trail.write(
        connection, at, who, action, f"visit {reveal.visit_no}", reveal=str(number), note=note.strip()[:300]
    )
    return _must(connection, number)


def look(connection: sqlite3.Connection, number: int, who: Supervisor, at: datetime) -> Reveal:
    """May she, now? Then the look is written down in the same transaction; a refused look is written down as well."""
    reveal = _must(connection, number)
    action = "reveal.look" if may_look(reveal, who, at) else "reveal.look_refused"
    trail.write(connection, at, who, action, f"visit {reveal.visit_no}", reveal=str(number))
    return reveal


def may_look(reveal: Reveal, who: Supervisor, at: datetime) -> bool:
    """Only she who asked, and only while it is open."""
    return reveal.login == who.login and reveal.stands(at) == "open"


def may_export(reveal: Reveal, who: Supervisor, at: datetime) -> bool:
    """The same, where it was asked for and granted with the look."""
    return reveal.export and may_look(reveal, who, at)


def open_for(connection: sqlite3.Connection, visit_no: str, who: Supervisor, at: datetime) -> Reveal | None:
    """Hers of this visit that is open now; one that allows an export before one that does not."""
    mine = [one for one in of_visit(connection, visit_no) if may_look(one, who, at)]
    return max(mine, key=lambda one: one.export, default=None)


def get(connection: sqlite3.Connection, number: int) -> Reveal | None:
    row = connection.execute("SELECT * FROM reveals WHERE id = ?", (number,)).fetchone()
    return _reveal(row) if row else None


def of_visit(connection: sqlite3.Connection, visit_no: str) -> list[Reveal]:
    rows = connection.execute("SELECT * FROM reveals WHERE visit_no = ? ORDER BY id DESC", (visit_no,))
    return [_reveal(row) for row in rows]


def latest(connection: sqlite3.Connection, limit: int = 50) -> list[Reveal]:
    rows = connection.execute("SELECT * FROM reveals ORDER BY id DESC LIMIT ?", (limit,))
    return [_reveal(row) for row in rows]


def _must(connection: sqlite3.Connection, number: int) -> Reveal:
    found = get(connection, number)
    if found is None:
        raise RefusedError("没有这项申请")
    return found


def _reveal(row: sqlite3.Row) -> Reveal:
    return Reveal(
        row["id"], row["visit_no"], from_store(row["at"]), row["login"], row["name"], row["authority"], row["reason"],
        from_store(row["decide_by"]), row["decided_login"], row["decided_name"],
        None if row["granted"] is None else bool(row["granted"]), row["note"],
        from_store(row["ends_at"]) if row["ends_at"] else None, bool(row["export"]),
    )  # fmt: skip
