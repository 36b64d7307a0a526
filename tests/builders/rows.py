"""Rows like one that is there, for tests that need many."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.base import Base
from foundation.ids import new_id

M = TypeVar("M", bound=Base)


async def copies_of(
    session: AsyncSession, model: type[M], row_id: UUID, count: int, **changes: Any
) -> list[M]:
    """So many copies with ids of their own; `changes` replace columns."""
    row = await session.get_one(model, row_id)
    values = {column.key: getattr(row, column.key) for column in inspect(model).column_attrs}
    made = [model(**{**values, **changes, "id": new_id()}) for _ in range(count)]
    session.add_all(made)
    await session.flush()
    return made
