"""The people who were filed, and what they did."""

import json
import sqlite3
from dataclasses import dataclass

from simulators.supervision.console import wording
from simulators.supervision.console.scope import Scope


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
        "SELECT * FROM records WHERE id IN (SELECT max(id) FROM records WHERE method = 'uploadPractitioner' "
        f"GROUP BY business_no) AND {' AND '.join(where)} ORDER BY business_no",
        values,
    ).fetchall()
    return [_member(row) for row in rows]


def _member(row: sqlite3.Row) -> StaffMember:
    body = json.loads(row["body"])
    method = wording.METHODS[row["method"]]
    said = {
        name: wording.say(method.field(name), body[name]) if body.get(name) else ""
        for name in ("staffType", "titleCode", "practiceScope", "status")
    }
    return StaffMember(
        id=row["business_no"], name=str(body["name"]), kind=said["staffType"], title=said["titleCode"],
        subjects=said["practiceScope"], until=str(body.get("filedUntil") or ""), status=said["status"],
        active=str(body["status"]) == "1", record_id=row["id"],
    )  # fmt: skip
