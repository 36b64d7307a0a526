"""The bare database's side of the comparison: pgbench writes the rows of a booking, one statement a row, in BEGIN…COMMIT.

Which rows those are is learned from a booking that the application made: whatever the transaction left in any table is written
again with other ids. The same tables, constraints and indexes, values of the same kind and size, ids that grow as UUIDv7 do,
prepared statements, as many clients as the loader has connections, and the same server with the same durability.
"""

import os
import re
import subprocess
from datetime import date, datetime
from typing import Any
from uuid import UUID

from standalone.account import server_account
from standalone.binaries import postgres_programs
from tests.load.crowd import ACCOUNT, DECISION, DOCTOR, PERSON, SLOT, Plan
from tests.load.ground import Ground

MADE = range(0xB1, 0xC0)
"""Kinds of the ids that pgbench makes."""
PROGRESS = re.compile(r"tps = ([\d.]+)")
LATENCY = re.compile(r"latency average = ([\d.]+) ms")


async def rows_of_a_booking(connection: Any, appointment: UUID) -> dict[str, list[dict[str, Any]]]:
    """Table → rows that the transaction of this booking wrote."""
    mark = await connection.fetchval("SELECT xmin::text FROM appointment WHERE id = $1", appointment)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    found = {}
    for (table,) in tables:
        rows = await connection.fetch(f'SELECT * FROM "{table}" WHERE xmin::text = $1', mark)
        if rows:
            found[table] = [dict(row) for row in rows]
    return found


def script(rows: dict[str, list[dict[str, Any]]], plan: Plan, clients: int) -> str:
    """One booking for pgbench; `:turn` counts, so that no pair of patient and slot comes twice."""
    (booked,) = rows["appointment"]
    (paid,) = rows["payment"]
    known = {
        booked["id"]: _id(MADE[0], ":n"), paid["id"]: _id(MADE[1], ":n"), booked["slot_id"]: _id(SLOT, ":slot"),
        booked["person_id"]: _id(PERSON, ":patient"), booked["account_id"]: _id(ACCOUNT, ":patient"),
        booked["eligibility_id"]: _id(DECISION, ":patient"), booked["practitioner_id"]: _id(DOCTOR, ":doctor"),
    }  # fmt: skip
    half = plan.patients // 2  # the other half books by HTTP
    block, hours = half // clients, len(plan.hours)
    lines = [
        "\\set turn :turn + 1",
        f"\\set n :turn * {clients} + :client_id",
        f"\\set patient {half} + :client_id * {block} + mod(:turn, {block})",
        f"\\set doctor mod(:patient * 7 + :turn / {block}, {plan.doctors - 1})",
        f"\\set day mod(:patient + :turn / {block}, {plan.days})",
        f"\\set slot (:doctor * {plan.days} + :day) * {hours} + 2 * mod(:patient, {hours // 2}) + 1",
        "BEGIN;",
        f"UPDATE slot SET remaining = remaining - 1, taken = taken + 1 WHERE id = {_id(SLOT, ':slot')} AND remaining > 0;",
    ]
    lines += [
        _insert(table, row, known)
        for table in _order(rows)
        for row in rows[table]
    ]  # fmt: skip
    return "\n".join([*lines, "COMMIT;", ""])


def _order(rows: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Tables that others refer to first; the slot is written by its update."""
    first = ["appointment", "payment"]
    return [*first, *(name for name in rows if name not in (*first, "slot"))]


def _insert(table: str, row: dict[str, Any], known: dict[UUID, str]) -> str:
    columns = {name: value for name, value in row.items() if name not in ("ordinal",)}
    values = [_value(name, value, known) for name, value in columns.items()]
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(values)});"


def _value(name: str, value: Any, known: dict[UUID, str]) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case bytes():
            return f"decode('{value.hex()}', 'hex')"
        case datetime():
            return f"'{value.isoformat()}'::timestamptz"
        case date():
            return f"'{value}'::date"
        case UUID():
            return known.get(value, "uuidv7()" if name == "id" else f"'{value}'::uuid")
        case _:
            return _text(str(value), known, unique=name == "key")


def _text(text: str, known: dict[UUID, str], *, unique: bool) -> str:
    """A text that speaks of an id speaks of the new one."""
    for one, made in known.items():
        for spelled, again in ((str(one), f"({made})::text"), (one.hex, f"replace(({made})::text, '-', '')")):
            if spelled in text:
                before, _, after = text.partition(spelled)
                return f"'{before}' || {again} || '{after}'"
    quoted = text.replace("'", "''").replace(":", "' || chr(58) || '")
    return f"'{quoted[:30]}-' || :n" if unique else f"'{quoted}'"


def _id(kind: int, number: str) -> str:
    return f"('000000{kind:02x}-0000-7000-8000-' || lpad(to_hex(({number})::bigint), 12, '0'))::uuid"


def pgbench(ground: Ground, text: str, *, clients: int, seconds: int, turn: int) -> dict[str, float]:
    """{tps, latency_ms, turns}: what pgbench itself says."""
    path = ground.folder / "booking.sql"
    path.write_text(text, encoding="utf-8")
    program = postgres_programs(server_account()) / "pgbench"
    command = [
        str(program), "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1", f"--time={seconds}",
        f"--define=turn={turn}", f"--file={path}", ground.admin,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    tps, latency = PROGRESS.search(done.stdout), LATENCY.search(done.stdout)
    if done.returncode != 0 or tps is None or latency is None or "ERROR" in done.stderr:
        raise RuntimeError(f"pgbench failed: {done.stderr[-2000:]} {done.stdout[-500:]}")
    made = re.search(r"actually processed: (\d+)", done.stdout)
    return {"tps": float(tps[1]), "latency_ms": float(latency[1]), "made": float(made[1] if made else 0)}
