"""What a reveal opens: the persons of a visit in the clear, each field once, and texts of its matters that name them.

Never the records' clinical text: that is an export's, which is asked for by itself.
"""

import sqlite3
from collections.abc import Sequence

from simulators.supervision.console.masking import is_personal, words_about
from simulators.supervision.console.reading import Item
from simulators.supervision.console.wording import METHODS, name_of
from simulators.supervision.oversight import matters, questions
from simulators.supervision.validate import is_empty


def persons(steps: Sequence[Item]) -> list[tuple[str, str]]:
    """(label, value), each value under the name it first came with."""
    found: dict[str, str] = {}
    for step in steps:
        for field in METHODS[step.method].fields:
            value = step.body.get(field.name)
            if (
                is_personal(step.method, field.name, step.body)
                and isinstance(value, str)
                and not is_empty(value)
            ):
                found.setdefault(value, name_of(field))
    return [(name, value) for value, name in found.items()]


def texts(connection: sqlite3.Connection, visit_no: str, steps: Sequence[Item]) -> list[tuple[str, str]]:
    """(label, text) of what was written in the visit's matters and is masked elsewhere."""
    words, found = words_about((one.method, one.body) for one in steps), []
    for row in connection.execute(
        "SELECT id FROM matters WHERE visit_no = ? ORDER BY id", (visit_no,)
    ).fetchall():
        matter = matters.get(connection, row["id"])
        assert matter is not None
        found.append((matter.subject.title, matter.subject.detail))
        found += [(one.verb, one.note) for one in matters.steps(connection, matter.id)]
        for asked in questions.of_matter(connection, matter.id):
            found += [("询问医院", asked.words), ("医院答复", asked.answer or "")]
    return list(dict.fromkeys(one for one in found if words.mask(one[1]) != one[1]))
