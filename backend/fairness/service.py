"""Pausing after no-shows and lifting a pause; what a booking asks before it takes a place."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.fairness import queries, rules
from backend.fairness.model import Absence, BookingPause
from backend.policy import policy
from foundation.actor import SYSTEM, Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id


async def lock_person(session: AsyncSession, person_id: UUID) -> None:
    """Bookings and pauses of one person come one after the other."""
    if guarded("person_lock"):
        await lock_stream(session, f"person:{person_id}")


async def require_not_paused(session: AsyncSession, person_id: UUID) -> None:
    """`Conflict` while a pause is in force; it says until when and whom to ask."""
    pause = await queries.pause_of(session, person_id)
    if pause is not None:
        raise rules.paused(pause.ends_at)


async def note_absence(session: AsyncSession, person_id: UUID, appointment_id: UUID) -> BookingPause | None:
    """A booked visit was missed. Returns the pause when this was one too many. Noting the same visit twice changes nothing."""
    await lock_person(session, person_id)
    now = clock_of(session).now()
    statement = insert(Absence).values(
        id=new_id(), hospital_id=hospital_id(), person_id=person_id, appointment_id=appointment_id, at=now
    )
    made = await session.scalar(statement.on_conflict_do_nothing().returning(Absence.id))
    if made is None:
        return None
    counting = await queries.absences_of(session, person_id)
    span = rules.pause_after(policy(), [row.at for row in counting])
    if span is None:
        return None
    pause = BookingPause(id=new_id(), person_id=person_id, starts_at=span[0], ends_at=span[1])
    session.add(pause)
    for row in counting:
        row.pause_id = pause.id
    audit(session, SYSTEM, "booking.pause", "person", person_id, detail={"absences": str(len(counting))})
    await session.flush()
    return pause


async def lift(session: AsyncSession, actor: Actor, pause_id: UUID, reason: str) -> BookingPause:
    """Staff let a person book again; lifting twice is the same as once. Who and why stays with the pause and in the trail."""
    pause = await lock(session, BookingPause, pause_id)
    if pause.lifted_at is None:
        pause.lifted_at, pause.lifted_by, pause.lift_reason = clock_of(session).now(), actor.id, reason
        audit(session, actor, "booking.lift_pause", "person", pause.person_id, detail={"reason": reason})
    return pause
