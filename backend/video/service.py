"""What a video room leaves in the database: rows of recordings, lines of audit."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarms
from backend.video.engine import Joined, Left, PeerEvent, RecordingFailed, Segment
from backend.video.model import Recording
from foundation.actor import SYSTEM, Actor
from foundation.db.audit import audit
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.logs import log
from foundation.object_store import AlreadyThere, Damaged, NotThere, ObjectInfo, ObjectStore

SUBJECT = "encounter"
CRASHED = "crashed"
MISSING = "missing"
FAILED, LOST = "recording_failed", "recording_lost"
"""Kinds of alarms."""


async def segments_so_far(session: AsyncSession, encounter_id: UUID) -> dict[str, int]:
    """How many segments each participant of the visit already has, so that numbers go on after a move of the room."""
    query = (
        select(Recording.participant_id, func.max(Recording.segment))
        .where(Recording.encounter_id == encounter_id)
        .group_by(Recording.participant_id)
    )
    return {str(participant): number for participant, number in await session.execute(query)}


async def begin_recording(session: AsyncSession, segment: Segment, node: str) -> None:
    """A segment has begun; it is findable from now on, whatever happens to this process."""
    session.add(_row(segment, node))


async def end_recording(session: AsyncSession, segment: Segment, node: str) -> None:
    """A segment is on disk: its size and digest enter the row and the audit chain."""
    row = await session.get(Recording, UUID(segment.id), with_for_update=True)
    if row is None:
        row = _row(segment, node)
        session.add(row)
    row.first_pts_ms, row.last_pts_ms = segment.first_pts_ms, segment.last_pts_ms
    row.video_frames, row.audio_frames = segment.video_frames, segment.audio_frames
    row.duration_ms = segment.last_pts_ms - segment.first_pts_ms
    complete = segment.close_reason != "write_failed"
    _end(
        session,
        row,
        size=segment.bytes,
        sha256=segment.sha256,
        reason=segment.close_reason,
        complete=complete,
    )


def joined(session: AsyncSession, actor: Actor, event: Joined) -> None:
    """Somebody entered the room."""
    detail = {"role": event.role, "connection": str(event.connection), **_watched(event)}
    audit(session, actor, "video.joined", SUBJECT, event.room_id, detail=detail)


def left(session: AsyncSession, actor: Actor, event: Left) -> None:
    """Somebody's connection ended."""
    detail = {
        "role": event.role,
        "connection": str(event.connection),
        "reason": event.reason,
        **_watched(event),
    }
    audit(session, actor, "video.left", SUBJECT, event.room_id, detail=detail)


def _watched(event: PeerEvent) -> dict[str, str]:
    """A supervisor's connection is named after the party that it shows."""
    _, _, watches = event.participant_id.partition(":")
    return {"watches": watches} if watches else {}


async def recording_failed(session: AsyncSession, event: RecordingFailed) -> None:
    """Part of a consultation was not recorded: somebody is rung for, and an inspector can see when and why."""
    detail = {"participant": event.participant_id, "problem": event.problem[:500]}
    audit(session, SYSTEM, "video.recording_failed", SUBJECT, event.room_id, outcome="failed", detail=detail)
    await alarms.ring(session, FAILED, event.room_id, f"问诊 {event.room_id} 的录像中断：{event.problem}")


async def recover(db: Database, store: ObjectStore, node: str) -> int:
    """Complete the rows that an earlier life of this node left open; how many there were."""
    async with unit_of_work(db) as session:
        query = select(Recording.id).where(Recording.node == node, Recording.ended_at.is_(None))
        left_open = list(await session.scalars(query))
    for row_id in left_open:
        await complete(db, store, row_id)
    return len(left_open)


async def complete(db: Database, store: ObjectStore, row_id: UUID) -> None:
    """End the row of a writer that died with what its file has; nothing happens when somebody was faster."""
    async with unit_of_work(db) as session:
        key = (await session.get_one(Recording, row_id)).object_key
    info = await salvaged(store, key)
    async with unit_of_work(db) as session:
        row = await session.get_one(Recording, row_id, with_for_update=True)
        if row.ended_at is not None:
            return
        end_as_found(session, row, info)
        if info is None:
            about = f"问诊 {row.encounter_id} 的第 {row.segment} 段录像（{row.role}）没有找到文件"
            await alarms.ring(session, LOST, row.id, about)
    log.warning("recording_recovered", recording=str(row_id), bytes=info.size if info else 0)


def end_as_found(session: AsyncSession, row: Recording, info: ObjectInfo | None) -> None:
    """Its writer said nothing about the end: what the store has is what there is."""
    if info is None:
        _end(session, row, size=0, sha256="", reason=MISSING, complete=False)
    else:
        _end(session, row, size=info.size, sha256=info.sha256, reason=CRASHED, complete=info.complete)


async def salvaged(store: ObjectStore, key: str) -> ObjectInfo | None:
    """What there is of a file whose writer died; None when there is nothing that opens."""
    try:
        return await store.salvage(key)
    except (
        NotThere,
        Damaged,
        AlreadyThere,
        FileNotFoundError,
    ):  # the last two: somebody else salvages it too
        pass
    try:
        return await store.info(key)
    except (NotThere, Damaged):
        return None


def _row(segment: Segment, node: str) -> Recording:
    return Recording(
        id=UUID(segment.id), encounter_id=UUID(segment.room_id), participant_id=UUID(segment.participant_id),
        role=segment.role.value, segment=segment.number, node=node, object_key=segment.object_key, started_at=segment.started_at,
    )  # fmt: skip


def _end(
    session: AsyncSession, row: Recording, *, size: int, sha256: str, reason: str, complete: bool
) -> None:
    row.ended_at = clock_of(session).now()
    row.bytes, row.sha256, row.close_reason, row.complete = size, sha256, reason, complete
    detail = {"encounter": str(row.encounter_id), "segment": str(row.segment), "role": row.role, "sha256": sha256,
              "bytes": str(size), "reason": reason, "started_at": row.started_at.isoformat(), "complete": str(complete)}  # fmt: skip
    audit(session, SYSTEM, "video.segment_closed", "recording", row.id, detail=detail)
