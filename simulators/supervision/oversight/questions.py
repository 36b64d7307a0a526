"""Questions to the hospital: written down, then asked through its gateway, then answered there by a person.

Nobody is asked while a row is locked: the question is a row first, `deliver` asks and writes down what came of it, `collect` fetches
answers. Both may run twice: the hospital keeps one question for an id, and an answer is taken once.
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
from simulators.supervision.oversight.matters import HOSPITAL, Matter, NotAllowedError
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


def waiting(connection: sqlite3.Connection, *, sent: bool) -> list[Question]:
    """Those nobody answered: on their way, or with the hospital. One whose matter moved on waits for nothing."""
    condition = "IS NOT NULL" if sent else "IS NULL"
    return _questions(
        connection,
        f"answered_at IS NULL AND refused_at IS NULL AND sent_at {condition} AND standing = 'asked' ORDER BY asked_at LIMIT ?", AT_ONCE,
    )  # fmt: skip


async def deliver(database: Database, door: HospitalDoor, clock: Clock, question: Question) -> str:
    """Ask; returns what the supervisor should know, empty when the hospital has it."""
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
    """Whether the hospital has answered; its answer is kept and moves the matter, once."""
    said = await door.ask("read-answer", {"question_id": question.id}, question.by)
    if said.problem or not said.body.get("answer"):
        return False
    with database.writing() as connection:
        _keep(connection, question, said.body, clock.now())
    return True


def _keep(connection: sqlite3.Connection, question: Question, body: Mapping[str, Any], at: datetime) -> None:
    answered_at = from_wire(str(body["answered_at"]))
    kept = connection.execute(
        "UPDATE questions SET answer = ?, answered_by = ?, answered_at = ? WHERE id = ? AND answered_at IS NULL",
        (str(body["answer"]), str(body.get("answered_by") or ""), utc_text(answered_at), question.id),
    )
    matter = matters.get(connection, question.matter_id)
    if kept.rowcount == 1 and matter is not None:
        try:
            matters.move(connection, matter, "answer", HOSPITAL, at, str(body["answer"]))
        except NotAllowedError:  # withdrawn meanwhile: the answer is kept all the same
            trail.write(connection, at, HOSPITAL, "question.answered_late", f"matter {matter.id}")


async def sweep(database: Database, door: HospitalDoor, clock: Clock) -> None:
    """Whatever waits: unsent questions go out, answers come in."""
    if not door.there:
        return
    with database.reading() as connection:
        unsent, open_ones = waiting(connection, sent=False), waiting(connection, sent=True)
    for question in unsent:
        await deliver(database, door, clock, question)
    for question in open_ones:
        await collect(database, door, clock, question)


def _questions(connection: sqlite3.Connection, where: str, value: int) -> list[Question]:
    rows = connection.execute(
        f"SELECT questions.*, matters.title FROM questions JOIN matters ON matters.id = matter_id WHERE {where}",
        (value,),
    )
    return [
        Question(
            row["id"], row["matter_id"], row["visit_no"], row["title"], Supervisor(row["login"], row["name"], ""),
            row["authority"], row["words"], from_store(row["asked_at"]), from_store(row["answer_by"]),
            from_store(row["sent_at"]) if row["sent_at"] else None, row["refused_at"] is not None, row["problem"], row["answer"], row["answered_by"],
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
