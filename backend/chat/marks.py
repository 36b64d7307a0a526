"""How far each side has read."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat.model import ChatMessage, ReadMark
from backend.encounter.model import Encounter
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import clock_of, touch
from foundation.ids import new_id


async def read(session: AsyncSession, row: Encounter, side: str, sequence: int) -> int:
    """`side` has read up to `sequence`; returns her mark. It never goes back, and never beyond what was said."""
    said = select(func.coalesce(func.max(ChatMessage.sequence), 0)).where(ChatMessage.encounter_id == row.id)
    reached = min(sequence, await session.scalar(said) or 0)
    statement = insert(ReadMark).values(
        id=new_id(), hospital_id=hospital_id(), encounter_id=row.id, side=side, sequence=reached,
        at=clock_of(session).now(),
    )  # fmt: skip
    moved = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["encounter_id", "side"],
            set_={"sequence": statement.excluded.sequence, "at": statement.excluded.at},
            where=ReadMark.sequence < statement.excluded.sequence,
        ).returning(ReadMark.sequence)
    )
    if moved is None:
        return (await marks(session, row.id)).get(side, 0)
    touch(session, f"chat:{row.id}")
    return int(moved)


async def marks(session: AsyncSession, encounter_id: UUID) -> dict[str, int]:
    """The last sequence each side has read."""
    found = await session.scalars(select(ReadMark).where(ReadMark.encounter_id == encounter_id))
    return {row.side: row.sequence for row in found}


async def unread(session: AsyncSession, encounter_ids: Sequence[UUID], side: str) -> Mapping[UUID, int]:
    """Per visit, what the other side and the machines said that `side` has not read; visits with nothing are left out."""
    mine: ColumnElement[bool] = and_(ReadMark.encounter_id == ChatMessage.encounter_id, ReadMark.side == side)
    query = (
        select(ChatMessage.encounter_id, func.count())
        .outerjoin(ReadMark, mine)
        .where(ChatMessage.encounter_id.in_(encounter_ids), ChatMessage.sender != side)
        .where(ChatMessage.sequence > func.coalesce(ReadMark.sequence, 0))
        .group_by(ChatMessage.encounter_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}
