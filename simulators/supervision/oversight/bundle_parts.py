"""What lies in an evidence bundle (bundle.py): records and receipts, the hospital's chain, the trail, what was asked and answered."""

import hmac
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulators.supervision.chain import GENESIS
from simulators.supervision.console import findings, reading
from simulators.supervision.console.masking import Words, mask_record, words_about
from simulators.supervision.oversight import matters, questions, trail
from simulators.supervision.oversight.evidence_key import salt_of
from simulators.supervision.times import utc_text, wire_text

LONGEST_CHAIN = 20_000
Say = Callable[[str], str]
"""How free text stands in the bundle: as it was written, or without the persons of the visit."""


def persons(steps: Sequence[reading.Item]) -> Words:
    """The persons of the visit."""
    return words_about((one.method, one.body) for one in steps)


def texts(connection: sqlite3.Connection, steps: Sequence[reading.Item]) -> dict[int, str]:
    """The records as they were stored, by id."""
    marks = ",".join("?" * len(steps))
    rows = connection.execute(
        f"SELECT id, body FROM records WHERE id IN ({marks})", [one.id for one in steps]
    )
    return {row["id"]: row["body"] for row in rows}


def receipt(step: reading.Item, text: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """`body_commitment` is HMAC-SHA256 of the stored text under the record's salt. A plain digest would tell a masked number to whoever
    tries them all; the salt goes with the text, so that a masked bundle can be matched with a clear one and with nothing else."""
    return {
        "record_id": step.id, "method": step.method, "profile": step.profile, "business_no": step.business_no,
        "event_id": step.event_id, "receipt": step.receipt, "occurred_at": wire_text(step.at),
        "received_at": wire_text(step.received_at), "request_sm3": step.request_digest,
        "body_commitment": hmac.digest(salt_of(key, step.id), text.encode(), "sha256").hex(),
    }  # fmt: skip


def record(
    step: reading.Item, text: str, key: Ed25519PrivateKey, *, clear: bool, also: Words
) -> dict[str, Any]:
    """One record with its receipt; `also` are the persons of the whole visit."""
    given = receipt(step, text, key)
    if clear:
        return given | {"body": dict(step.body), "body_text": text, "salt": salt_of(key, step.id).hex()}
    return given | {"body": mask_record(step.method, step.body, also)}


def chain(connection: sqlite3.Connection, steps: Sequence[reading.Item]) -> list[dict[str, Any]]:
    """From the visit's first place to its last, others as numbers and digests; the visit's own alone when that is too long.

    `before` is the head of the link before, where the platform has it; `said` is what the hospital said it was, where it did.
    """
    places = sorted({int(one.body["hospitalSeq"]) for one in steps if one.body.get("hospitalSeq")})
    if not places:
        return []
    near = places[-1] - places[0] < LONGEST_CHAIN
    wanted = (
        f"number BETWEEN {places[0]} AND {places[-1]}"
        if near
        else f"number IN ({','.join(map(str, places))})"
    )
    rows = connection.execute(
        "SELECT number, digest, head, previous, (SELECT head FROM links AS one WHERE one.number = links.number - 1) "
        f"AS before FROM links WHERE {wanted} ORDER BY number"
    )
    return [
        {
            "number": row["number"], "digest": row["digest"], "head": row["head"],
            "before": GENESIS if row["number"] == 1 else row["before"], "said": row["previous"],
        }
        for row in rows
    ]  # fmt: skip


def standing(connection: sqlite3.Connection, links: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the platform found of these links: those that do not fit, those whose predecessor never came; the others fit."""
    numbers = ",".join(str(one["number"]) for one in links)
    rows = connection.execute(
        f"SELECT number, state FROM links WHERE state <> 'good' AND number IN ({numbers}) ORDER BY number"
    ).fetchall()
    return {
        "links": len(links),
        "broken": [row["number"] for row in rows if row["state"] == "broken"],
        "open": [row["number"] for row in rows if row["state"] == "open"],
    }


def lines(
    connection: sqlite3.Connection, visit_no: str, steps: Sequence[reading.Item], last: int, say: Say
) -> dict[str, Any]:
    """From the first line about the visit to the export; lines about other things as digests.

    A line whose words name a person of the visit has them masked (`shown`) instead of what its digest is of (`said`).
    """
    about, values = _about(connection, visit_no, steps)
    first = connection.execute(f"SELECT min(number) FROM trail WHERE {about}", values).fetchone()[0]
    before = connection.execute("SELECT head FROM trail WHERE number = ?", (first - 1,)).fetchone()
    rows = connection.execute(
        f"SELECT *, {about} AS own FROM trail WHERE number BETWEEN ? AND ? ORDER BY number",
        (*values, first, last),
    )
    found = []
    for row in rows:
        line = trail.line_of(row)
        words = _words(line, say) if row["own"] else {}
        found.append({"number": line.number, "entry": line.entry, "head": line.head, **words})
    return {"before": before["head"] if before else trail.START, "lines": found}


def _about(
    connection: sqlite3.Connection, visit_no: str, steps: Sequence[reading.Item]
) -> tuple[str, list[str]]:
    """A condition on lines of the trail: about the visit, its records, matters and reveals, or judged in a sample."""
    own = {visit_no, f"visit {visit_no}", *(f"record {one.id}" for one in steps)}
    for kind in ("matter", "reveal"):
        rows = connection.execute(f"SELECT id FROM {kind}s WHERE visit_no = ?", (visit_no,))
        own |= {f"{kind} {row['id']}" for row in rows}
    numbers = {visit_no, *(one.business_no for one in steps)}
    about = f"subject IN ({_marks(own)})"
    judged = f"(action = 'sample.judge' AND json_extract(detail, '$.number') IN ({_marks(numbers)}))"
    return f"({about} OR {judged})", [*own, *numbers]


def _marks(values: set[str]) -> str:
    return ",".join("?" * len(values))


def _words(line: trail.Line, say: Say) -> dict[str, Any]:
    shown = {key: say(value) for key, value in line.words.items()}
    if shown == line.words:
        return {"said": line.said}
    return {"shown": line.said | {"detail": shown}}


def followed(connection: sqlite3.Connection, visit_no: str, say: Say) -> dict[str, Any]:
    """Alerts of the visit, and its matters with every step, question and answer."""
    alerts = [
        {"rule": one.rule, "title": one.title, "basis": one.basis, "detail": say(one.detail), "at": wire_text(one.at),
         "record_id": one.record_id, "standing": one.standing}
        for one in findings.alerts(connection, visit_no=visit_no)
    ]  # fmt: skip
    rows = connection.execute("SELECT id FROM matters WHERE visit_no = ? ORDER BY id", (visit_no,)).fetchall()
    found = []
    for row in rows:
        matter = matters.get(connection, row["id"])
        assert matter is not None
        found.append({
            "title": matter.subject.title, "detail": say(matter.subject.detail), "standing": matter.standing,
            "steps": [
                {"at": wire_text(one.at), "by": one.name, "step": one.verb, "became": one.became, "note": say(one.note)}
                for one in matters.steps(connection, matter.id)
            ],
            "questions": [_asked(one, say) for one in questions.of_matter(connection, matter.id)],
        })  # fmt: skip
    return {"alerts": alerts, "matters": found}


def _asked(question: questions.Question, say: Say) -> Mapping[str, Any]:
    return {
        "id": question.id, "by": question.by.name, "authority": say(question.authority), "words": say(question.words),
        "asked_at": utc_text(question.asked_at), "withdrawn": question.withdrawn,
        "answer": say(question.answer) if question.answer else None,
        "answered_by": question.answered_by,
        "answered_at": utc_text(question.answered_at) if question.answered_at else None,
    }  # fmt: skip
