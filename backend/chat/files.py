"""Pictures and voice notes: remade, stored encrypted, known by a row."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import rules
from backend.chat.model import Attachment
from backend.chat.remaking import About, Made, remade
from backend.encounter import queries
from backend.encounter.model import Encounter
from foundation.actor import Actor
from foundation.canonical import sha256
from foundation.db.audit import audit
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Invalid
from foundation.ids import new_id
from foundation.object_store import ObjectStore


@dataclass(frozen=True)
class StoredFile:
    """What lies in the object store, for the row."""

    id: UUID
    about: About
    sha256: str
    object_key: str
    small_key: str


async def check(session: AsyncSession, row: Encounter, side: str, media_type: str, size: int) -> None:
    """Whether this side may send such a file now. `Conflict`, `Invalid`."""
    queries.require_talking(row, clock_of(session).now())
    if issues := rules.file_issues(media_type, size):
        raise Invalid(issues=issues)
    query = select(func.count()).where(Attachment.encounter_id == row.id, Attachment.sender == side)
    if (await session.scalar(query) or 0) >= rules.FILES_PER_VISIT:
        raise Conflict(f"一次问诊最多发送 {rules.FILES_PER_VISIT} 个文件", code="too_many_files")


async def store(objects: ObjectStore, encounter_id: UUID, media_type: str, data: bytes) -> StoredFile:
    """Make it anew and keep that. `Invalid` when it is not what it says."""
    made = await remade(media_type, data)
    file_id = new_id()
    key = f"attachments/{encounter_id.hex}/{file_id.hex}"
    small = f"{key}-small" if len(made) > 1 else ""
    await _put(objects, key, made[0])
    if small:
        await _put(objects, small, made[1])
    return StoredFile(file_id, made[0].about, sha256(made[0].content).hex(), key, small)


async def _put(objects: ObjectStore, key: str, made: Made) -> None:
    async def whole() -> AsyncIterator[bytes]:
        yield made.content

    await objects.put(key, whole())


def record(session: AsyncSession, actor: Actor, row: Encounter, side: str, stored: StoredFile) -> Attachment:
    """The row of a stored file."""
    about = stored.about
    attachment = Attachment(
        id=stored.id, encounter_id=row.id, sender=side, media_type=about.media_type, size=about.size,
        sha256=stored.sha256, object_key=stored.object_key, small_key=stored.small_key, width=about.width,
        height=about.height, duration_ms=about.duration_ms, at=clock_of(session).now(),
    )  # fmt: skip
    session.add(attachment)
    audit(session, actor, "chat.attach", "encounter", row.id)
    return attachment
