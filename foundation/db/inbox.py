"""Callbacks from outside: first a row with a unique key, then the answer, then a job. The content is only a hint."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, hospital_id, moment
from foundation.db.columns import DataClass, stored
from foundation.db.guards import guarded
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id


class ExternalEvent(Row, Base):
    """One callback; `subject` is what it points at (an order number, a waybill), never its claim."""

    __tablename__ = "external_event"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    source: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    external_id: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    subject: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    received_at: Mapped[datetime] = moment()


async def receive(session: AsyncSession, source: str, external_id: str, kind: str, subject: str) -> bool:
    """Store the callback; False when it was here before."""
    if not guarded("inbox_key"):
        external_id = str(new_id())
    statement = (
        insert(ExternalEvent)
        .values(
            id=new_id(), hospital_id=hospital_id(), source=source, external_id=external_id, kind=kind, subject=subject,
            received_at=clock_of(session).now(),
        )
        .on_conflict_do_nothing()
        .returning(ExternalEvent.id)
    )  # fmt: skip
    return await session.scalar(statement) is not None
