"""Gives every event and audit line its hospital-wide number and links it to the one before.

One sealer works at a time (advisory lock); it takes what is committed in the order of `ordinal`. Inside one stream that is
the order of commit, because the stream's head row is locked until then.
"""

from typing import Any

from sqlalchemy import BigInteger, LargeBinary, String, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.chain import GENESIS, link
from foundation.db.audit import AuditEvent
from foundation.db.base import Base, Row
from foundation.db.columns import DataClass, stored
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import Database, unit_of_work

BATCH = 500


class ChainHead(Row, Base):
    """Where each chain stands."""

    __tablename__ = "chain_head"

    chain: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), unique=True)
    number: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    head: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary, default=GENESIS)


async def seal(db: Database) -> int:
    """Seal one batch of each chain; returns how many entries were sealed."""
    return await _seal(db, "outbox", OutboxEvent) + await _seal(db, "audit", AuditEvent)


async def seal_audit(db: Database) -> int:
    """Seal one batch of the audit trail alone, for a process that publishes nothing."""
    return await _seal(db, "audit", AuditEvent)


async def _seal(db: Database, chain: str, model: Any) -> int:
    async with unit_of_work(db) as session:
        got = await session.scalar(
            text("SELECT pg_try_advisory_xact_lock(hashtext(:name))"), {"name": f"seal:{chain}"}
        )
        if not got:
            return 0
        query = (
            select(model.id, model.digest)
            .where(model.sealed_number.is_(None))
            .order_by(model.ordinal)
            .limit(BATCH)
        )
        waiting = (await session.execute(query)).all()
        if not waiting:
            return 0
        at = await _head(session, chain)
        updates = []
        for row_id, digest in waiting:
            at.number += 1
            at.head = link(at.head, at.number, digest)
            updates.append({"id": row_id, "sealed_number": at.number, "head": at.head})
        await session.execute(update(model), updates)
        return len(updates)


async def _head(session: AsyncSession, chain: str) -> ChainHead:
    row = await session.scalar(select(ChainHead).where(ChainHead.chain == chain).with_for_update())
    if row is None:
        row = ChainHead(chain=chain, number=0, head=GENESIS)
        session.add(row)
    return row
