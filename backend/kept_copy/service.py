"""Asking for copies, and the verbs that move one."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.kept_copy import queries, rules
from backend.kept_copy.model import KeptCopy
from backend.kept_copy.queries import Source
from backend.kept_copy.states import KeptState
from backend.record.model import MedicalRecord
from backend.video.keeping import standing_hold
from foundation.actor import SYSTEM, Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.intents import intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Invalid, NotFound
from foundation.ids import new_id
from foundation.object_store import NotThere

DRIVE = "kept_copy.drive"
BATCH = 200


async def on_acknowledged(session: AsyncSession, context: Context, appointment_id: UUID) -> None:
    """In the transaction in which the hospital's acknowledgement is written: ask for what the visit has so far."""
    if context.settings.kept_public_key is not None:
        await session.flush()
        await ask(session, await queries.unasked(session, appointment_id, BATCH))


async def ask(session: AsyncSession, sources: list[Source]) -> int:
    """Rows and jobs for these; how many are new. Asked for twice it is one."""
    new = 0
    for one in sources:
        statement = (
            insert(KeptCopy)
            .values(
                id=new_id(), hospital_id=hospital_id(), object_key=one.object_key, kind=one.kind, subject_id=one.subject_id,
                encounter_id=one.encounter_id, state=KeptState.REQUESTED, head=b"", size=0, sha256="", refused_code="",
                asked_at=clock_of(session).now(),
            )
            .on_conflict_do_nothing()
            .returning(KeptCopy.id)
        )  # fmt: skip
        row_id = await session.scalar(statement)
        if row_id is not None:
            new += 1
            await intend(session, DRIVE, row_id)
    return new


async def head_of(session: AsyncSession, row_id: UUID, head: bytes, size: int, sha256: str) -> KeptCopy:
    """Give the copy its head, once: the second worker takes the first one's, or it would upload another file under the same key."""
    row = await session.get_one(KeptCopy, row_id, with_for_update=True, populate_existing=True)
    if not row.head or not guarded("kept_head"):
        row.head, row.size, row.sha256 = head, size, sha256
        await session.flush()
    return row


async def refuse(session: AsyncSession, row: KeptCopy, code: str) -> None:
    """For a person to look at."""
    await advance(session, row, "refuse", SYSTEM, refused_code=code[:60])


async def retry(session: AsyncSession, actor: Actor, row_id: UUID, reason: str) -> KeptCopy:
    """Try a refused copy again, from its beginning."""
    if issues := rules.reason_issues(reason):
        raise Invalid(issues=issues)
    row = await session.get(KeptCopy, row_id)
    if row is None:
        raise NotFound("没有找到该留存记录")
    await advance(session, row, "retry", actor, refused_code="", copied_at=None)
    audit(session, actor, "kept_copy.retry_reason", "kept_copy", row.id, detail={"reason": reason.strip()})
    await intend(session, DRIVE, row.id)
    return row


async def drop(session: AsyncSession, context: Context, row_id: UUID) -> bool:
    """Remove the cloud's content of a copy that was read back long enough ago; False when a hold or somebody else was faster."""
    row = await session.get_one(KeptCopy, row_id)
    if guarded("recording_hold"):
        await lock_stream(session, f"recordings:{row.encounter_id}")
    await session.refresh(row, with_for_update=True)
    kept_since = clock_of(session).now() - timedelta(days=context.settings.keep_content_days)
    if row.state is not KeptState.VERIFIED or row.verified_at is None or row.verified_at >= kept_since:
        return False
    if await standing_hold(session, row.encounter_id) is not None:
        return False
    if row.kind == rules.Kind.RECORD:
        record = await session.get_one(MedicalRecord, row.subject_id, with_for_update=True)
        record.content = None
    await advance(session, row, "drop", SYSTEM, dropped_at=clock_of(session).now())
    with suppress(NotThere):  # last: the hospital has it, so readers in between go there
        await context.objects.delete(row.object_key)
    return True
