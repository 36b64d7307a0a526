"""The people who were filed, and what they did."""

import json
import sqlite3
from dataclasses import dataclass

from simulators.supervision.console import wording
from simulators.supervision.console.scope import Scope

FILINGS = {
    "uploadPractitioner": ("staffType", "name", "titleCode", "practiceScope", "filedUntil", "status"),
    "bb_pi_staff": ("rylb", "ryxm", "zcdm", "zyfw", "bayxq", "ryzt"),
}
"""Where each kind of filing says category, name, title, scope, end and whether the person works: `1`."""
_ON_DUTY = {"是": "在岗", "否": "不在岗"}


@dataclass(frozen=True)
class StaffMember:
    """The last filing of a person."""

    id: str
    name: str
    kind: str
    title: str
    subjects: str
    until: str
    status: str
    active: bool
    record_id: int


def staff(connection: sqlite3.Connection, scope: Scope) -> list[StaffMember]:
    """Everybody who was filed; a department's filter keeps those who acted in it."""
    where = ["1"]
    values: list[str] = []
    if scope.dept:
        inner, values = Scope(hospital=scope.hospital, dept=scope.dept).records("acts")
        where.append(
            f"EXISTS (SELECT 1 FROM records AS acts WHERE acts.doctor_id = records.business_no AND {inner})"
        )
    if scope.doctor:
        where.append("business_no = ?")
        values.append(scope.doctor)
    rows = connection.execute(
        "SELECT * FROM records WHERE id IN (SELECT max(id) FROM records WHERE method IN ('uploadPractitioner', 'bb_pi_staff') "
        f"GROUP BY business_no) AND {' AND '.join(where)} ORDER BY business_no",
        values,
    ).fetchall()
    return [_member(row) for row in rows]


def _member(row: sqlite3.Row) -> StaffMember:
    body = json.loads(row["body"])
    method = wording.METHODS[row["method"]]
    kind, name, title, subjects, until, status = FILINGS[row["method"]]

    def said(field: str) -> str:
        return wording.say(method.field(field), body[field]) if body.get(field) else ""

    return StaffMember(
        id=row["business_no"], name=str(body[name]), kind=said(kind), title=said(title),
        subjects=said(subjects), until=str(body.get(until) or ""), status=_ON_DUTY.get(said(status), said(status)),
        active=str(body[status]) == "1", record_id=row["id"],
    )  # fmt: skip
