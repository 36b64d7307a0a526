"""Questions to the hospital: written down, then asked through its gateway, then answered there by a person.

Nobody is asked while a row is locked: the question is a row first, `deliver` asks and writes down what came of it, `collect` fetches
answers. Both may run twice: the hospital keeps one question for an id, and an answer is taken once. A matter has one open question at
most; one that was withdrawn is not sent any more, but an answer to it is kept.
"""

import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulators.server import Clock
from simulators.supervision.hospital_door import HospitalDoor
from simulators.supervision.oversight import matters, trail
from simulators.supervision.oversight.matters import HOSPITAL, Matter, NotAllowedError, Standing
from simulators.supervision.settings import Supervisor
from simulators.supervision.store import Database
from simulators.supervision.times import from_store, from_wire, utc_text, wire_text

ANSWER_WITHIN = timedelta(days=3)
AT_ONCE = 20
FINAL = frozenset({400, 404, 409, 422})
"""Answers that asking again does not change; anything else is tried again."""
LEAST_WORDS, MOST_WORDS = 4, 500


@dataclass(frozen=True)
class Question:
    id: str
    matter_id: int
    visit_no: str | None
    title: str
    by: Supervisor
    authority: str
    words: str
    asked_at: datetime
    answer_by: datetime
    sent_at: datetime | None
    refused: bool
    withdrawn: bool
    problem: str
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


def write(
    connection: sqlite3.Connection, matter: Matter, who: Supervisor, at: datetime, authority: str, words: str
) -> str:
    """The question's id. The matter is `asked` from now on, whether or not the hospital can be reached this minute."""
    authority, words = authority.strip(), words.strip()
    if not 4 <= len(authority) <= 80:
        raise NotAllowedError("请填写检查文书号（4至80字）")
    if not LEAST_WORDS <= len(words) <= MOST_WORDS:
        raise NotAllowedError(f"请写明要问医院什么（{LEAST_WORDS}至{MOST_WORDS}字）")
    number = str(uuid.uuid4())
    matters.move(connection, matter, "ask", who, at, words)
    connection.execute(
        "INSERT INTO questions (id, matter_id, visit_no, login, name, authority, words, asked_at, answer_by) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, matter.id, matter.subject.visit_no, who.login, who.name, authority, words, utc_text(at),
         utc_text(at + ANSWER_WITHIN)),
    )  # fmt: skip
    return number


def of_matter(connection: sqlite3.Connection, number: int) -> list[Question]:
    return _questions(connection, "matter_id = ? ORDER BY asked_at, questions.id", number)


def withdraw(
    connection: sqlite3.Connection, matter: Matter, who: Supervisor, at: datetime, note: str
) -> None:
    """The matter's step, and its open question with it."""
    matters.move(connection, matter, "withdraw", who, at, note)
    connection.execute(
        "UPDATE questions SET withdrawn_at = ? WHERE matter_id = ? AND answered_at IS NULL AND withdrawn_at IS NULL",
        (utc_text(at), matter.id),
    )


_UNSENT = "sent_at IS NULL AND refused_at IS NULL AND withdrawn_at IS NULL"
# One that was tried and then withdrawn may be with the hospital though its reply was lost.
_THERE = (
    "answered_at IS NULL AND refused_at IS NULL AND "
    "(sent_at IS NOT NULL OR (withdrawn_at IS NOT NULL AND tried_at IS NOT NULL))"
)


def waiting(connection: sqlite3.Connection, *, sent: bool, matter: int | None = None) -> list[Question]:
    """Those on their way, or those the hospital may have; whatever was tried longest ago comes first."""
    return _questions(
        connection,
        f"{_THERE if sent else _UNSENT} AND coalesce(?, matter_id) = matter_id "
        f"ORDER BY coalesce(tried_at, ''), asked_at LIMIT {AT_ONCE}",
        matter,
    )


async def deliver(database: Database, door: HospitalDoor, clock: Clock, question: Question) -> str:
    """Ask; returns what the supervisor should know, empty when the hospital has it or need not have it any more."""
    if not _try(database, clock, question, _UNSENT):
        return ""
    asked: dict[str, Any] = {
        "question_id": question.id, "title": question.title[:100], "authority": question.authority,
        "words": question.words, "answer_by": wire_text(question.answer_by),
    }  # fmt: skip
    if question.visit_no and _is_uuid(question.visit_no):
        asked["visit_number"] = question.visit_no
    said = await door.ask("ask-hospital", asked, question.by)
    now, refused = utc_text(clock.now()), said.status in FINAL
    with database.writing() as connection:
        connection.execute(
            "UPDATE questions SET sent_at = ?, refused_at = ?, problem = ? WHERE id = ? AND sent_at IS NULL",
            (None if said.problem else now, now if refused else None, said.problem, question.id),
        )
    return said.problem


async def collect(database: Database, door: HospitalDoor, clock: Clock, question: Question) -> bool:
    """Whether the hospital has answered; its answer is kept, once, and moves the matter when its question is the open one."""
    if not _try(database, clock, question, _THERE):
        return False
    said = await door.ask("read-answer", {"question_id": question.id}, question.by)
    if said.status in FINAL and question.sent_at is None:  # it never got there, and it will not be sent
        with database.writing() as connection:
            connection.execute(
                "UPDATE questions SET refused_at = ?, problem = ? WHERE id = ?",
                (utc_text(clock.now()), said.problem, question.id),
            )
    if said.problem or not said.body.get("answer"):
        return False
    with database.writing() as connection:
        _keep(connection, question, said.body, clock.now())
    return True


def _try(database: Database, clock: Clock, question: Question, condition: str) -> bool:
    """Take the question's turn; False when it waits for this no longer."""
    with database.writing() as connection:
        tried = connection.execute(
            f"UPDATE questions SET tried_at = ? WHERE id = ? AND {condition}",
            (utc_text(clock.now()), question.id),
        )
    return tried.rowcount == 1


def _keep(connection: sqlite3.Connection, question: Question, body: Mapping[str, Any], at: datetime) -> None:
    answered_at = from_wire(str(body["answered_at"]))
    kept = connection.execute(
        "UPDATE questions SET answer = ?, answered_by = ?, answered_at = ? WHERE id = ? AND answered_at IS NULL "
        "RETURNING withdrawn_at",
        (str(body["answer"]), str(body.get("answered_by") or ""), utc_text(answered_at), question.id),
    ).fetchone()
    if kept is None:
        return
    matter = matters.get(connection, question.matter_id)
    assert matter is not None
    if kept["withdrawn_at"] is None and matter.standing is Standing.ASKED:
        matters.move(connection, matter, "answer", HOSPITAL, at, str(body["answer"]))
    else:
        trail.write(connection, at, HOSPITAL, "question.answered_late", f"matter {matter.id}")


async def sweep(database: Database, door: HospitalDoor, clock: Clock, matter: int | None = None) -> None:
    """Whatever waits, or what waits of one matter: unsent questions go out, answers come in."""
    if not door.there:
        return
    with database.reading() as connection:
        unsent = waiting(connection, sent=False, matter=matter)
        there = waiting(connection, sent=True, matter=matter)
    for question in unsent:
        await deliver(database, door, clock, question)
    for question in there:
        await collect(database, door, clock, question)


def _questions(connection: sqlite3.Connection, where: str, value: int | None) -> list[Question]:
    rows = connection.execute(
        f"SELECT questions.*, matters.title FROM questions JOIN matters ON matters.id = matter_id WHERE {where}",
        (value,),
    )
    return [
        Question(
            row["id"], row["matter_id"], row["visit_no"], row["title"], Supervisor(row["login"], row["name"], ""),
            row["authority"], row["words"], from_store(row["asked_at"]), from_store(row["answer_by"]),
            from_store(row["sent_at"]) if row["sent_at"] else None, row["refused_at"] is not None,
            row["withdrawn_at"] is not None, row["problem"], row["answer"], row["answered_by"],
            from_store(row["answered_at"]) if row["answered_at"] else None,
        )
        for row in rows
    ]  # fmt: skip


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
