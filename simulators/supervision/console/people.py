"""Whom a text may be about: the persons of its visit, for texts that people wrote and no field names."""

import json
import sqlite3

from simulators.supervision.console.masking import NO_WORDS, Words, words_about
from simulators.supervision.oversight.matters import Subject
from simulators.supervision.oversight.trail import Line

FREE = {"reason", "note", "why", "authority"}
"""Parts of a line's detail that somebody typed."""
_ABOUT = {
    "matter": "SELECT visit_no, record_id FROM matters WHERE id = ?",
    "reveal": "SELECT visit_no, NULL AS record_id FROM reveals WHERE id = ?",
}


class People:
    """Asks the store once for each visit; for one page."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._found: dict[tuple[str, str | int], Words] = {}

    def of_visit(self, visit_no: str | None, record_id: int | None = None) -> Words:
        """Of the visit; of the record alone where it belongs to none."""
        if visit_no:
            return self._of("visit_no", visit_no)
        return self._of("id", record_id) if record_id is not None else NO_WORDS

    def of_number(self, number: str) -> Words:
        """Of a visit or a piece of business."""
        return self._of("visit_no", number) | self._of("business_no", number)

    def of_matter(self, subject: Subject) -> Words:
        return self.of_visit(subject.visit_no, subject.record_id)

    def said(self, line: Line) -> dict[str, str]:
        """The detail of a line of the trail as it may be shown."""
        if not FREE & line.words.keys():
            return line.words
        words = self._of_line(line)
        return {key: words.mask(value) if key in FREE else value for key, value in line.words.items()}

    def _of_line(self, line: Line) -> Words:
        kind, _, number = line.subject.partition(" ")
        if line.action == "sample.judge":
            return self.of_number(line.detail.get("number", ""))
        if kind == "visit":
            return self.of_visit(number)
        if kind not in _ABOUT:
            return NO_WORDS
        row = self._connection.execute(_ABOUT[kind], (number,)).fetchone()
        return self.of_visit(row["visit_no"], row["record_id"]) if row else NO_WORDS

    def _of(self, column: str, value: str | int) -> Words:
        if (column, value) not in self._found:
            rows = self._connection.execute(
                f"SELECT method, body, visit_no FROM records WHERE {column} = ?", (value,)
            ).fetchall()
            words = words_about((row["method"], json.loads(row["body"])) for row in rows)
            for visit_no in {row["visit_no"] for row in rows if column != "visit_no" and row["visit_no"]}:
                words |= self._of("visit_no", visit_no)
            self._found[column, value] = words
        return self._found[column, value]
