"""Recordings that nobody is left to complete: their node died and did not come back, or died before it had said that they exist.

A node completes its own at its next start (`service.recover`); this is for the worker, and for nodes that never start again.
"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.encounter.model import Encounter
from backend.video import nodes, service
from backend.video.model import Recording, RecordingConsent
from foundation.actor import SYSTEM
from foundation.db.audit import audit
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.logs import log
from foundation.object_store import ObjectStore

FOLDER = "recordings"
OLD_ENOUGH = timedelta(minutes=2)
"""A row this young may be of a node that has only just begun."""
QUIET_FOR = timedelta(minutes=10)
"""A file that nobody has written to for so long has no writer, and its row is not on its way either."""
LOOK_BACK = timedelta(days=7)
PER_TURN = 20
UNKNOWN = "unknown"
NOBODY_KNOWN = UUID(int=0)
_KEY = re.compile(
    FOLDER
    + r"/(?P<visit>[0-9a-f-]{36})/(?P<role>patient|doctor)-(?P<number>[0-9]+)-(?P<id>[0-9a-f-]{36})\.mkv"
)


async def forsaken(db: Database, redis: Redis) -> list[UUID]:
    """Open rows whose node gives no sign of life."""
    async with unit_of_work(db) as session:
        query = select(Recording.id, Recording.node).where(
            Recording.ended_at.is_(None), Recording.started_at < clock_of(session).now() - OLD_ENOUGH
        )
        rows = list(await session.execute(query.order_by(Recording.started_at)))
    dead = await nodes.dead(redis, sorted({node for _, node in rows}))
    return [row_id for row_id, node in rows if node in dead][:PER_TURN]


async def unregistered(db: Database, store: ObjectStore) -> list[str]:
    """Files of the last days that no row knows."""
    now = db.clock.now()
    keys = await store.written(FOLDER, now - LOOK_BACK, now - QUIET_FOR)
    async with unit_of_work(db) as session:
        known = set(await session.scalars(select(Recording.object_key).where(Recording.object_key.in_(keys))))
    return [key for key in keys if key not in known and _KEY.fullmatch(key)]


async def register(db: Database, store: ObjectStore, key: str) -> None:
    """Give a file its row: the file's name says whose it is, its id when it began."""
    named = _KEY.fullmatch(key)
    assert named is not None
    info = await service.salvaged(store, key)
    visit, role, segment = UUID(named["visit"]), named["role"], UUID(named["id"])
    async with unit_of_work(db) as session:
        if await session.get(Recording, segment) is not None:
            return
        row = Recording(
            id=segment, encounter_id=visit, participant_id=await _participant(session, visit, role), role=role,
            segment=int(named["number"]), node=UNKNOWN, object_key=key, started_at=_begun(segment),
        )  # fmt: skip
        session.add(row)
        await session.flush()
        audit(session, SYSTEM, "video.segment_found", "recording", row.id, detail={"key": key})
        service.end_as_found(session, row, info)
    log.warning("recording_found", recording=str(segment), bytes=info.size if info else 0)


def _begun(segment: UUID) -> datetime:
    """An id of version 7 has the moment of its making in it."""
    return datetime.fromtimestamp((segment.int >> 80) / 1000, UTC)


async def _participant(session: AsyncSession, visit: UUID, role: str) -> UUID:
    """Who most likely sat there; all zeros when nothing tells."""
    sibling = select(Recording.participant_id).where(Recording.encounter_id == visit, Recording.role == role)
    agreed = select(RecordingConsent.account_id).where(RecordingConsent.encounter_id == visit)
    doctor = select(Encounter.practitioner_id).where(Encounter.id == visit)
    other = doctor if role == "doctor" else agreed.order_by(RecordingConsent.at.desc())
    for query in (sibling, other):
        found: UUID | None = await session.scalar(query.limit(1))
        if found is not None:
            return found
    return NOBODY_KNOWN
