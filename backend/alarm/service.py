"""Ringing, being over, being closed by a person."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm.model import Alarm
from foundation.actor import SYSTEM, Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.locks import lock
from foundation.db.unit_of_work import Database, clock_of, touch, unit_of_work
from foundation.errors import Conflict
from foundation.ids import new_id
from foundation.logs import log

DESK = "desk:alarms"
"""Stream of the alarms, for the desk that shows them live."""


async def ring(session: AsyncSession, kind: str, subject: object, detail: str, *, link: str = "") -> None:
    """One open row for each kind and subject: again only counts, and says what it is like now."""
    now, made = clock_of(session).now(), new_id()
    await session.flush()
    statement = (
        insert(Alarm)
        .values(
            id=made, hospital_id=hospital_id(), kind=kind, subject=str(subject), detail=detail[:300], link=link, times=1,
            first_at=now, last_at=now, note="",
        )
        .on_conflict_do_update(
            index_elements=["kind", "subject"],
            index_where=Alarm.closed_at.is_(None),
            set_={"times": Alarm.times + 1, "last_at": now, "detail": detail[:300]},
        )
        .returning(Alarm.id)
    )  # fmt: skip
    if await session.scalar(statement) == made:
        audit(session, SYSTEM, "alarm.ring", "alarm", made, code=kind)
        log.error("alarm", kind=kind, subject=str(subject))
    touch(session, DESK)


async def over(session: AsyncSession, kind: str, subject: object) -> None:
    """It was seen not to be any more."""
    now = clock_of(session).now()
    closed = await session.scalars(
        update(Alarm)
        .where(Alarm.kind == kind, Alarm.subject == str(subject), Alarm.closed_at.is_(None))
        .values(closed_at=now)
        .returning(Alarm.id)
    )
    for alarm_id in closed:
        audit(session, SYSTEM, "alarm.over", "alarm", alarm_id, code=kind)
        touch(session, DESK)


async def close(session: AsyncSession, actor: Actor, alarm_id: UUID, note: str) -> Alarm:
    """A person has dealt with it, and says how. `Conflict` when it is closed already."""
    row = await lock(session, Alarm, alarm_id)
    if row.closed_at is not None:
        raise Conflict("该告警已经处理", code="alarm_closed")
    row.closed_at, row.closed_by, row.note = clock_of(session).now(), actor.id, note
    audit(session, actor, "alarm.close", "alarm", row.id, code=row.kind)
    touch(session, DESK)
    await session.flush()
    return row


async def open_alarm(session: AsyncSession, kind: str, subject: object) -> Alarm | None:
    """The open one."""
    query = select(Alarm).where(Alarm.kind == kind, Alarm.subject == str(subject), Alarm.closed_at.is_(None))
    return await session.scalar(query)


@dataclass
class Bell:
    """Rings from outside any transaction, for clients of other systems; that it cannot is no reason for them to fail."""

    db: Database
    subject: str

    async def raised(self, trouble: str, detail: str) -> None:
        """Ring."""
        try:
            async with unit_of_work(self.db) as session:
                await ring(session, trouble, self.subject, detail)
        except Exception as error:
            log.error("alarm_not_written", kind=trouble, detail=detail, error=type(error).__name__)

    async def over(self, trouble: str) -> None:
        """Over."""
        try:
            async with unit_of_work(self.db) as session:
                await over(session, trouble, self.subject)
        except Exception as error:
            log.error("alarm_not_written", kind=trouble, error=type(error).__name__)
