"""Rows of several tables written by one statement: for work that is done for many callers at once (`foundation.together`).

`WITH a AS (INSERT INTO … SELECT * FROM unnest($1::uuid[], …)), b AS (…) SELECT 1`: one array per column. Column types and
defaults are the models' own, so what is encrypted is sealed here as everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Dialect, String, Table, text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.base import Base

Rows = Sequence[Mapping[str, Any]]
_DIALECT: Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
_FIRST = text("SELECT 1")


@dataclass(frozen=True)
class _Column:
    """How one column's values are made: `seal` turns a value into what is sent, `default` fills in what was not given."""

    name: str
    type: str
    seal: Callable[[Any], Any] | None
    default: Callable[[], Any]

    def values(self, rows: Rows) -> list[Any]:
        """One for each row."""
        name, default = self.name, self.default
        found = [row[name] if name in row else default() for row in rows]
        return found if self.seal is None else [self.seal(value) for value in found]


async def insert_all(session: AsyncSession, tables: Mapping[type[Base], Rows]) -> None:
    """Insert all rows of all tables; foreign keys between them may point anywhere, they are checked at the end."""
    given = {model: rows for model, rows in tables.items() if rows}
    if not given:
        return
    values = [column.values(rows) for model, rows in given.items() for column in _columns(model)]
    connection = await driver(session)
    await connection.execute(_statement(tuple(given)), *values)


async def driver(session: AsyncSession) -> Any:
    """asyncpg's own connection under the session, inside its transaction, after what the session has to write."""
    await session.flush()
    found = await (await session.connection()).get_raw_connection()
    connection: Any = found.driver_connection
    if not connection.is_in_transaction():  # SQLAlchemy begins with its first statement
        await session.execute(_FIRST)
    return connection


@cache
def _statement(models: tuple[type[Base], ...]) -> str:
    parts, number = [], 0
    for place, model in enumerate(models):
        columns = _columns(model)
        names = ", ".join(f'"{column.name}"' for column in columns)
        arrays = ", ".join(f"${number + at}::{column.type}[]" for at, column in enumerate(columns, start=1))
        parts.append(
            f"t{place} AS (INSERT INTO {model.__tablename__} ({names}) SELECT * FROM unnest({arrays}))"
        )
        number += len(columns)
    return f"WITH {', '.join(parts)} SELECT 1"


@cache
def _columns(model: type[Base]) -> tuple[_Column, ...]:
    table = model.__table__
    assert isinstance(table, Table)
    return tuple(_column(column) for column in table.columns if column.identity is None)


def _column(column: Column[Any]) -> _Column:
    kind = column.type.dialect_impl(_DIALECT)
    name = "text" if isinstance(kind, String) else kind.compile(_DIALECT)
    seal = getattr(column.type, "process_bind_param", None)
    return _Column(
        column.name, name, (lambda value: seal(value, _DIALECT)) if seal else None, _default(column)
    )


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    if default is None:
        return lambda: None
    if default.is_callable:
        return lambda: default.arg(None)
    return lambda: default.arg
