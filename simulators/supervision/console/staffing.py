"""The people who were filed, and what they did."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from simulators.supervision.console import wording
from simulators.supervision.console.scope import Scope
from simulators.supervision.meanings import FILINGS, column

_ON_DUTY = {"是": "在岗", "否": "不在岗"}


@dataclass(frozen=True)
class StaffMember:
    """The last filing of a person, whenever it arrived."""

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
        "SELECT * FROM records WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER "
        "(PARTITION BY business_no ORDER BY occurred_at DESC, id DESC) AS place FROM records "
        f"WHERE method IN {FILINGS}) WHERE place = 1) AND {' AND '.join(where)} ORDER BY business_no",
        values,
    ).fetchall()
    return [_member(row) for row in rows]


def _member(row: sqlite3.Row) -> StaffMember:
    body, method = json.loads(row["body"]), wording.METHODS[row["method"]]

    def raw(name: str) -> Any:
        return body.get(column(method.name, name))

    def said(name: str) -> str:
        return wording.say(method.field(column(method.name, name)), raw(name)) if raw(name) else ""

    status = said("status")
    return StaffMember(
        id=row["business_no"], name=str(raw("name")), kind=said("staffType"), title=said("titleCode"),
        subjects=said("practiceScope"), until=str(raw("filedUntil") or ""), status=_ON_DUTY.get(status, status),
        active=str(raw("status")) == "1", record_id=row["id"],
    )  # fmt: skip
