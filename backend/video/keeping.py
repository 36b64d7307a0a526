"""How long recordings are kept: three years at least, longer under a legal hold, and then deleted by a job.

Deleting and holding take the lock of the visit's recordings, so that a hold is never placed on a file that is just going.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.video import rules
from backend.video.model import Recording, RecordingFilm, RecordingHold
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Invalid, NotFound
from foundation.object_store import NotThere, ObjectStore

BATCH = 100


async def standing_hold(session: AsyncSession, encounter_id: UUID) -> RecordingHold | None:
    """The hold on a visit's recordings."""
    query = select(RecordingHold).where(
        RecordingHold.encounter_id == encounter_id, RecordingHold.lifted_at.is_(None)
    )
    found: RecordingHold | None = await session.scalar(query)
    return found


def held_visits() -> Select[UUID]:
    """Visits whose recordings are held."""
    return select(RecordingHold.encounter_id).where(RecordingHold.lifted_at.is_(None))


async def hold(session: AsyncSession, actor: Actor, encounter_id: UUID, reason: str) -> RecordingHold:
    """Place a hold; `Conflict` when there is one, `NotFound` when nothing is left to hold."""
    if issues := rules.reason_issues(reason):
        raise Invalid(issues=issues)
    await _lock(session, encounter_id)
    if await standing_hold(session, encounter_id) is not None:
        raise Conflict("该次问诊的录像已经封存", code="already_held")
    query = (
        select(Recording.id)
        .where(Recording.encounter_id == encounter_id, Recording.deleted_at.is_(None))
        .limit(1)
    )
    if await session.scalar(query) is None:
        raise NotFound("该次问诊没有可以封存的录像")
    assert actor.id is not None
    made = RecordingHold(
        encounter_id=encounter_id,
        reason=reason.strip(),
        placed_by=actor.id,
        placed_at=clock_of(session).now(),
    )
    session.add(made)
    await session.flush()
    audit(session, actor, "recording.held", "encounter", encounter_id, detail={"reason": made.reason})
    return made


async def lift(session: AsyncSession, actor: Actor, encounter_id: UUID, reason: str) -> None:
    """End the hold; `NotFound` when there is none."""
    if issues := rules.reason_issues(reason):
        raise Invalid(issues=issues)
    await _lock(session, encounter_id)
    row = await standing_hold(session, encounter_id)
    if row is None:
        raise NotFound("该次问诊的录像没有封存")
    row.lifted_by, row.lifted_at = actor.id, clock_of(session).now()
    audit(
        session, actor, "recording.hold_lifted", "encounter", encounter_id, detail={"reason": reason.strip()}
    )


async def delete(session: AsyncSession, store: ObjectStore, actor: Actor, recording_id: UUID) -> Recording:
    """Delete the file for good and say so in its line. `Conflict` with every reason why it must stay."""
    row = await session.get(Recording, recording_id)
    if row is None:
        raise NotFound("没有找到该录像")
    if guarded("recording_hold"):
        await _lock(session, row.encounter_id)
    await session.refresh(row, with_for_update=True)
    held = await standing_hold(session, row.encounter_id) is not None
    today = local(clock_of(session).now()).date()
    issues = rules.deletion_issues(row.started_at, today, held=held, ended=row.ended_at is not None)
    if issues:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)
    if row.deleted_at is None:
        await _remove(store, row.object_key)
        row.deleted_at = clock_of(session).now()
        detail = {"encounter": str(row.encounter_id), "sha256": row.sha256, "key": row.object_key}
        audit(session, actor, "recording.deleted", "recording", row.id, detail=detail)
    return row


async def over(session: AsyncSession, now: datetime, limit: int = BATCH) -> list[UUID]:
    """Recordings whose time is over and that no hold keeps."""
    today = local(now).date()
    latest = now.replace(year=now.year - rules.KEPT_YEARS, day=min(now.day, 28))
    query = (
        select(Recording.id, Recording.started_at)
        .where(Recording.deleted_at.is_(None), Recording.ended_at.is_not(None), Recording.started_at < latest)
        .where(Recording.encounter_id.not_in(held_visits()))
        .order_by(Recording.started_at)
        .limit(limit)
    )
    return [row_id for row_id, at in await session.execute(query) if today > rules.last_kept_day(at)]


async def old_films(session: AsyncSession, before: datetime, limit: int = BATCH) -> list[UUID]:
    """Copies asked for before."""
    query = (
        select(RecordingFilm.id)
        .where(RecordingFilm.asked_at < before, RecordingFilm.deleted_at.is_(None))
        .order_by(RecordingFilm.asked_at)
        .limit(limit)
    )
    return list(await session.scalars(query))


async def delete_film(session: AsyncSession, store: ObjectStore, film_id: UUID, before: datetime) -> bool:
    """Delete one copy; False when it is gone, or was asked for again meanwhile. One that was never made has no file."""
    row = await session.get_one(RecordingFilm, film_id, with_for_update=True)
    if row.deleted_at is not None or row.asked_at >= before:
        return False
    if row.object_key:
        await _remove(store, row.object_key)
    row.deleted_at = clock_of(session).now()
    return True


async def _remove(store: ObjectStore, key: str) -> None:
    try:
        await store.delete(key)
    except NotThere:
        return


async def _lock(session: AsyncSession, encounter_id: UUID) -> None:
    await lock_stream(session, f"recordings:{encounter_id}")
