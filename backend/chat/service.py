"""Sending and reading messages."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import rules
from backend.chat.model import Attachment, ChatMessage
from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING
from foundation.actor import Actor
from foundation.canonical import sha256
from foundation.db.audit import audit
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, NotFound
from foundation.ids import new_id
from foundation.object_store import ObjectStore


def side_of(actor: Actor, row: Encounter) -> str:
    """On which side of the visit the actor is; callers have checked that she is on one."""
    return "doctor" if actor.id == row.practitioner_id else "patient"


async def say(
    session: AsyncSession, actor: Actor, row: Encounter, *, client_id: str, kind: str, body: str,
    attachment_id: UUID | None = None,
) -> ChatMessage:  # fmt: skip
    """Add a message; the same `client_id` again returns the first one. Only while the visit runs."""
    await lock_stream(session, f"chat:{row.id}")
    known = await session.scalar(
        select(ChatMessage).where(ChatMessage.encounter_id == row.id, ChatMessage.client_id == client_id)
    )
    if known is not None:
        return known
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中，不能发送消息", code="encounter_not_running")
    if kind == "text" and (issues := rules.text_issues(body)):
        raise Invalid(issues=issues)
    if kind in ("image", "voice"):
        await _own_attachment(session, row, attachment_id)
    side = side_of(actor, row)
    if side == "doctor":
        row.advice_given = True
    message = ChatMessage(
        sender=side,
        sender_id=actor.id,
        kind=kind,
        body=body,
        client_id=client_id,
        attachment_id=attachment_id,
    )
    return await _add(session, row, message)


async def notice(session: AsyncSession, row: Encounter, body: str, *, key: str, kind: str = "notice") -> None:
    """A machine's message, labelled as such; once per `key`."""
    await lock_stream(session, f"chat:{row.id}")
    known = select(ChatMessage.id).where(ChatMessage.encounter_id == row.id, ChatMessage.client_id == key)
    if await session.scalar(known) is None:
        await _add(session, row, ChatMessage(sender="system", kind=kind, body=body, client_id=key))


async def _add(session: AsyncSession, row: Encounter, message: ChatMessage) -> ChatMessage:
    """Give the message its place in the visit."""
    query = select(func.max(ChatMessage.sequence)).where(ChatMessage.encounter_id == row.id)
    last = await session.scalar(query)
    message.id, message.encounter_id, message.sequence = new_id(), row.id, (last or 0) + 1
    message.at = clock_of(session).now()
    session.add(message)
    await session.flush()
    touch(session, f"chat:{row.id}", row.stream)
    return message


async def _own_attachment(session: AsyncSession, row: Encounter, attachment_id: UUID | None) -> None:
    found = await session.get(Attachment, attachment_id) if attachment_id else None
    if found is None or found.encounter_id != row.id:
        raise NotFound("没有找到该文件", code="attachment_not_found")


async def after(
    session: AsyncSession, encounter_id: UUID, sequence: int, limit: int = 200
) -> Sequence[ChatMessage]:
    """Messages after `sequence`, in order."""
    query = (
        select(ChatMessage)
        .where(ChatMessage.encounter_id == encounter_id, ChatMessage.sequence > sequence)
        .order_by(ChatMessage.sequence)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def store_file(
    objects: ObjectStore, encounter_id: UUID, media_type: str, data: bytes
) -> tuple[UUID, str]:
    """Put a checked file into the object store; returns the attachment's id and key."""
    if issues := rules.file_issues(media_type, data):
        raise Invalid(issues=issues)
    attachment_id = new_id()
    key = f"attachments/{encounter_id.hex}/{attachment_id.hex}"

    async def whole() -> AsyncIterator[bytes]:
        yield data

    await objects.put(key, whole())
    return attachment_id, key


def record_file(
    session: AsyncSession,
    actor: Actor,
    row: Encounter,
    *,
    attachment_id: UUID,
    key: str,
    media_type: str,
    data: bytes,
) -> Attachment:
    """The row of a stored file."""
    attachment = Attachment(
        id=attachment_id, encounter_id=row.id, sender=side_of(actor, row), media_type=media_type, size=len(data),
        sha256=sha256(data).hex(), object_key=key, at=clock_of(session).now(),
    )  # fmt: skip
    session.add(attachment)
    audit(session, actor, "chat.attach", "encounter", row.id)
    return attachment
