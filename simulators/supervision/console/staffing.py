"""The people who were filed, and what they did."""

import json
import sqlite3
from dataclasses import dataclass

from simulators.supervision.console import wording
from simulators.supervision.console.scope import Scope


@dataclass(frozen=True)
class StaffMember:
    """The last filing of a person, and what she did in the scope."""

    id: str
    name: str
    kind: str
    title: str
    subjects: str
    until: str
    status: str
    active: bool
    record_id: int
    acts: int
    alerts: int


def staff(connection: sqlite3.Connection, scope: Scope) -> list[StaffMember]:
    """Everybody who was filed; a department's filter keeps those who acted in it."""
    since, values = scope.days("occurred_at")
    inner, more = Scope(hospital=scope.hospital, doctor="", dept=scope.dept).records("acts")
    rows = connection.execute(
        "SELECT records.*, (SELECT count(*) FROM records AS acts WHERE acts.doctor_id = records.business_no "
        f"AND {since.replace('occurred_at', 'acts.occurred_at')}) AS acts, "
        "(SELECT count(*) FROM alerts JOIN records AS acts ON acts.id = alerts.record_id "
        "WHERE acts.doctor_id = records.business_no) AS alerts "
        "FROM records WHERE id IN (SELECT max(id) FROM records WHERE method = 'uploadPractitioner' GROUP BY business_no)"
        + (
            f" AND EXISTS (SELECT 1 FROM records AS acts WHERE acts.doctor_id = records.business_no AND {inner})"
            if scope.dept
            else ""
        )
        + (" AND business_no = ?" if scope.doctor else "")
        + " ORDER BY business_no",
        [*values, *(more if scope.dept else []), *([scope.doctor] if scope.doctor else [])],
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
        active=str(body["status"]) == "1", record_id=row["id"], acts=row["acts"], alerts=row["alerts"],
    )  # fmt: skip
