"""Rows of several tables written by one statement: for work that is done for many callers at once (`foundation.together`).

`WITH a AS (INSERT INTO … SELECT … FROM json_to_recordset($1)), b AS (…) SELECT 1`: one JSON text per table. Arrays, one per
column, were tried first: the driver looks at each element in Python, which cost more than all the rest of a booking's rows.
Column types and defaults are the models' own, so what is encrypted is sealed here as everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Column, Dialect, String, Table
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.base import Base

Rows = Sequence[Mapping[str, Any]]
_DIALECT: Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]


def whole(model: type[Base], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with every column of the table: what is not given has the model's default."""
    return {
        column.name: row[column.name] if column.name in row else column.default()
        for column in _columns(model)
    }


@dataclass(frozen=True)
class _Column:
    """How one column's values are made: `seal` turns a value into what is sent, `default` fills in what was not given."""

    name: str
    type: str
    binary: bool
    seal: Callable[[Any], Any] | None
    default: Callable[[], Any]


def _as_json(columns: tuple[_Column, ...], rows: Rows) -> str:
    """Times, ids, states and days as PostgreSQL reads them, bytes in base64."""
    made = []
    for row in rows:
        line = {}
        for column in columns:
            value = row[column.name] if column.name in row else column.default()
            line[column.name] = value if column.seal is None else column.seal(value)
        made.append(line)
    return msgspec.json.encode(made).decode()


async def insert_all(session: AsyncSession, tables: Mapping[type[Base], Rows]) -> None:
    """Insert all rows of all tables; foreign keys between them may point anywhere, they are checked at the end."""
    given = {model: rows for model, rows in tables.items() if rows}
    if not given:
        return
    values = [_as_json(_columns(model), rows) for model, rows in given.items()]
    connection = await driver(session)
    await connection.execute(_statement(tuple(given)), *values)


async def driver(session: AsyncSession, first: str = "SELECT 1") -> Any:
    """asyncpg's own connection under the session, inside its transaction, after what the session has to write.

    SQLAlchemy begins a transaction with its first statement: where there is none yet that is `first`, and costs a round trip.
    """
    await session.flush()
    outer = await session.connection()
    connection: Any = (await outer.get_raw_connection()).driver_connection
    if not connection.is_in_transaction():
        await outer.exec_driver_sql(first)
    return connection


async def insert_new(session: AsyncSession, model: type[Base], rows: Rows, returning: str) -> list[Any]:
    """Insert those rows that no unique key refuses; returns one column of them."""
    if not rows:
        return []
    connection = await driver(session)
    found = await connection.fetch(_insert_new(model, returning), _as_json(_columns(model), rows))
    return [row[0] for row in found]


@cache
def _insert_new(model: type[Base], returning: str) -> str:
    columns = _columns(model)
    names = ", ".join(f'"{column.name}"' for column in columns)
    return (
        f"INSERT INTO {model.__tablename__} ({names}) SELECT {', '.join(map(_value, columns))} "
        f"FROM json_to_recordset($1::text::json) AS new ({_types(columns)}) ON CONFLICT DO NOTHING RETURNING {returning}"
    )


async def update_all(
    session: AsyncSession, model: type[Base], rows: Rows, *, where: str = "true", also: str = ""
) -> list[UUID]:
    """Set columns of rows by one statement, each row its own values; returns the ids of those that `where` let pass.

    Every row names the same columns, `id` among them. Rows are locked in the order of their ids, then looked at. `where` and `also`
    (further assignments) are SQL of ours, in which `row` is the row.
    """
    if not rows:
        return []
    names = tuple(rows[0])
    columns = tuple(column for column in _columns(model) if column.name in names)
    connection = await driver(session)
    found = await connection.fetch(
        _update(model, names, where, also), _as_json(columns, rows), [row["id"] for row in rows]
    )
    return [row["id"] for row in found]


@cache
def _update(model: type[Base], names: tuple[str, ...], where: str, also: str) -> str:
    columns = [column for column in _columns(model) if column.name in names]
    changed = [column for column in columns if column.name != "id"]
    sets = [f'"{one.name}" = {_value(one)}' for one in changed] + ([also] if also else [])
    table = model.__tablename__
    return (
        f"WITH held AS (SELECT id FROM {table} WHERE id = ANY($2::uuid[]) ORDER BY id FOR UPDATE) "
        f"UPDATE {table} AS row SET {', '.join(sets)} FROM json_to_recordset($1::text::json) AS new ({_types(columns)}) "
        f"JOIN held ON held.id = new.id WHERE row.id = new.id AND ({where}) RETURNING row.id"
    )


def _types(columns: Sequence[_Column]) -> str:
    return ", ".join(f'"{one.name}" {"text" if one.binary else one.type}' for one in columns)


def _value(column: _Column) -> str:
    return f"decode(new.\"{column.name}\", 'base64')" if column.binary else f'new."{column.name}"'


@cache
def _statement(models: tuple[type[Base], ...]) -> str:
    parts = []
    for number, model in enumerate(models, start=1):
        columns = _columns(model)
        names = ", ".join(f'"{column.name}"' for column in columns)
        values = ", ".join(_value(column) for column in columns)
        source = f"json_to_recordset(${number}::text::json) AS new ({_types(columns)})"
        parts.append(
            f"t{number} AS (INSERT INTO {model.__tablename__} ({names}) SELECT {values} FROM {source})"
        )
    return f"WITH {', '.join(parts)} SELECT 1"


@cache
def _columns(model: type[Base]) -> tuple[_Column, ...]:
    table = model.__table__
    assert isinstance(table, Table)
    return tuple(_column(column) for column in table.columns if column.identity is None)


def _column(column: Column[Any]) -> _Column:
    kind = column.type.dialect_impl(_DIALECT)
    name = "text" if isinstance(kind, String) else kind.compile(_DIALECT)
    if name == "BYTEA":
        return _Column(column.name, name, True, _seal(column), _default(column))
    if name.startswith("JSON"):
        raise TypeError(f"{column}: {name} is not written in bulk")
    return _Column(column.name, name, False, None, _default(column))


def _seal(column: Column[Any]) -> Callable[[Any], Any] | None:
    """Of encrypted types. States, times and days need nothing: JSON spells them as they are stored."""
    seal = getattr(column.type, "process_bind_param", None)
    return (lambda value: seal(value, _DIALECT)) if seal else None


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    if default is None:
        return lambda: None
    if default.is_callable:
        return lambda: default.arg(None)
    return lambda: default.arg
