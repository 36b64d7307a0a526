"""Gives every event and audit line its hospital-wide number and links it to the one before.

One sealer works at a time (advisory lock); it takes what is committed in the order of `ordinal`. Inside one stream that is
the order of commit, because the stream's head row is locked until then.
"""

from sqlalchemy import BigInteger, LargeBinary, String, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.chain import GENESIS, link
from foundation.db.audit import AuditEvent
from foundation.db.base import Base, Row
from foundation.db.bulk import driver
from foundation.db.columns import DataClass, stored
from foundation.db.guards import guarded
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import Database, unit_of_work

BATCH = 500


class ChainHead(Row, Base):
    """Where each chain stands."""

    __tablename__ = "chain_head"

    chain: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), unique=True)
    number: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    head: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary, default=GENESIS)


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")


async def seal_outbox(db: Database) -> int:
    """Seal one batch of events alone."""
    return await _seal(db, "outbox", OutboxEvent)


async def seal(db: Database) -> int:
    """Seal one batch of each chain; returns how many entries were sealed."""
    return await _seal(db, "outbox", OutboxEvent) + await _seal(db, "audit", AuditEvent)


async def seal_audit(db: Database) -> int:
    """Seal one batch of the audit trail alone."""
    return await _seal(db, "audit", AuditEvent)


async def _seal(db: Database, chain: str, model: type[Base]) -> int:
    async with unit_of_work(db) as session:
        # Without it two would take the same entries, and number them twice.
        if guarded("seal_lock") and not await session.scalar(_TRY_LOCK, {"name": f"seal:{chain}"}):
            return 0
        connection = await driver(session)
        table = model.__tablename__
        waiting = await connection.fetch(
            f"SELECT id, digest FROM {table} WHERE sealed_number IS NULL ORDER BY ordinal LIMIT {BATCH}"
        )
        if not waiting:
            return 0
        at = await _head(session, chain)
        numbers, heads = [], []
        for _, digest in waiting:
            at.number += 1
            at.head = link(at.head, at.number, digest)
            numbers.append(at.number)
            heads.append(at.head)
        await connection.execute(
            f"UPDATE {table} AS row SET sealed_number = new.number, head = new.head "
            "FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS new (id, number, head) WHERE row.id = new.id",
            [row_id for row_id, _ in waiting], numbers, heads,
        )  # fmt: skip
        return len(waiting)


async def _head(session: AsyncSession, chain: str) -> ChainHead:
    row = await session.scalar(select(ChainHead).where(ChainHead.chain == chain).with_for_update())
    if row is None:
        row = ChainHead(chain=chain, number=0, head=GENESIS)
        session.add(row)
    return row
