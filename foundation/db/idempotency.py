"""`Idempotency-Key`: the same press twice has one effect and one answer.

The key's row is written in the transaction of the effect. A second request with the key waits on the unique index until
the first has committed, then gets the stored answer; after a roll-back it does the work itself.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, String, UniqueConstraint, Uuid, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, hospital_id, moment
from foundation.db.columns import DataClass, keyring, stored
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, invalid
from foundation.ids import new_id

FIELD = "idempotency_key.answer"


class IdempotencyKey(Row, Base):
    """One key of one actor, what was asked (digest), and the answer."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("actor_id", "key"),)

    actor_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    key: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    status: Mapped[int] = stored(DataClass.OPERATIONAL, Integer, default=0)
    answer: Mapped[bytes | None] = stored(DataClass.CONTENT, LargeBinary)
    made_at: Mapped[datetime] = moment()


def check(key: str) -> None:
    """`Invalid` for a key that is too short to be one's own, or too long to keep."""
    if not 8 <= len(key) <= 80:
        raise invalid("Idempotency-Key", "wrong_format", "请求标识应为 8 到 80 个字符")


def replayed(digest: bytes, earlier: bytes, sealed: bytes | None) -> bytes:
    """The body that was answered to the same request; `Conflict` when the key was used for another one."""
    if digest != earlier:
        raise Conflict("同一请求标识已用于另一请求", code="idempotency_key_reused")
    return keyring().open(sealed, FIELD) if sealed else b""


def kept(actor_id: UUID, key: str, digest: bytes, status: int, body: bytes, now: datetime) -> dict[str, Any]:
    """The row of a request that is answered already, for whoever writes many."""
    return {
        "actor_id": actor_id, "key": key, "digest": digest, "status": status, "answer": keyring().seal(body, FIELD),
        "made_at": now,
    }  # fmt: skip


async def begin(session: AsyncSession, actor_id: UUID, key: str, digest: bytes) -> tuple[int, bytes] | None:
    """None when the work is ours to do, else the earlier status and body. `Conflict` when the key was used for another request."""
    check(key)
    statement = (
        insert(IdempotencyKey)
        .values(
            id=new_id(), hospital_id=hospital_id(), actor_id=actor_id, key=key, digest=digest, status=0,
            made_at=clock_of(session).now(),
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.id)
    )  # fmt: skip
    if await session.scalar(statement) is not None:
        return None
    query = select(IdempotencyKey).where(IdempotencyKey.actor_id == actor_id, IdempotencyKey.key == key)
    row = (await session.scalars(query)).one()
    return row.status, replayed(digest, row.digest, row.answer)


async def finish(session: AsyncSession, actor_id: UUID, key: str, status: int, body: bytes) -> None:
    """Keep the answer with the effect."""
    await session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.actor_id == actor_id, IdempotencyKey.key == key)
        .values(status=status, answer=keyring().seal(body, FIELD))
    )
