"""Row locks: what becomes scarcer, once per transaction, sorted, late, with the connection's time-out."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.base import Base
from foundation.db.guards import guarded
from foundation.errors import NotFound

M = TypeVar("M", bound=Base)
_NAMED = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def lock_stream(session: AsyncSession, stream: str) -> None:
    """The lock of a whole aggregate, taken before any of its rows, so that verbs of one visit cannot dead-lock."""
    if guarded("stream_lock"):
        await session.execute(_NAMED, {"name": stream})


async def lock(session: AsyncSession, model: type[M], row_id: UUID) -> M:
    """The row, locked and read afresh; `NotFound` when there is none."""
    rows = await lock_all(session, model, [row_id])
    if not rows:
        raise NotFound
    return rows[0]


async def lock_all(session: AsyncSession, model: type[M], ids: Iterable[UUID]) -> list[M]:
    """Rows of one model, locked in the order of their ids."""
    await session.flush()
    key = model.__table__.c.id
    query = select(model).where(key.in_(sorted(ids))).order_by(key).execution_options(populate_existing=True)
    if guarded("row_lock"):
        query = query.with_for_update()
    return list(await session.scalars(query))
