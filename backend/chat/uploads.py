"""Files that arrive in pieces, over a network that breaks: what is safe stays safe, the sender goes on from there.

The shape is that of tus 1.0 (creation, offset, HEAD, PATCH). Each piece is an object of its own, encrypted; its row is written
before its bytes and counted after them, so that nothing is left behind unseen. When all is there the file is remade and becomes
an attachment, once, however often that is asked for.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import files
from backend.chat.files import StoredFile
from backend.chat.model import Attachment, Upload, UploadPart
from backend.chat.service import side_of
from backend.context import Context
from backend.encounter import queries
from backend.encounter.model import Encounter
from foundation.actor import Actor
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, unit_of_work
from foundation.errors import Conflict, Gone, Invalid, NotFound
from foundation.ids import new_id
from foundation.object_store import NotThere

FORGET = "chat.forget_upload"
LIFE = timedelta(hours=24)
PIECE_LIMIT = 262_144
ELSEWHERE = "上传位置不一致，请从已收到的位置继续"


@dataclass(frozen=True)
class Progress:
    """Where an upload stands; `attachment` is there when it is done."""

    upload: Upload
    attachment: Attachment | None


async def begin(
    session: AsyncSession, actor: Actor, row: Encounter, *, client_id: str, media_type: str, size: int
) -> Progress:
    """A new upload, or the one of this `client_id` as it stands."""
    await lock_stream(session, f"upload:{row.id}")
    side = side_of(actor, row)
    query = select(Upload).where(Upload.encounter_id == row.id, Upload.client_id == client_id)
    known = await session.scalar(query)
    if known is not None:
        if (known.sender, known.media_type, known.size) != (side, media_type, size):
            raise Conflict("同一编号的上传内容不一致", code="upload_differs")
        return await progress(session, known)
    await files.check(session, row, side, media_type, size)
    now = clock_of(session).now()
    upload = Upload(
        id=new_id(), encounter_id=row.id, sender=side, client_id=client_id, media_type=media_type, size=size, received=0,
        made_at=now, expires_at=now + LIFE,
    )  # fmt: skip
    session.add(upload)
    await intend(session, FORGET, upload.id, due=upload.expires_at)
    return Progress(upload, None)


async def own(session: AsyncSession, actor: Actor, upload_id: UUID) -> tuple[Upload, Encounter]:
    """The sender's own upload with its visit; `NotFound` for everybody else."""
    upload = await session.get(Upload, upload_id)
    if upload is None:
        raise NotFound("没有找到该上传", code="upload_not_found")
    row = await queries.visible(session, actor, upload.encounter_id)
    if side_of(actor, row) != upload.sender:
        raise NotFound("没有找到该上传", code="upload_not_found")
    return upload, row


async def progress(session: AsyncSession, upload: Upload) -> Progress:
    """As it stands."""
    found = await session.get(Attachment, upload.attachment_id) if upload.attachment_id else None
    return Progress(upload, found)


async def receive(context: Context, actor: Actor, upload_id: UUID, offset: int, data: bytes) -> Progress:
    """One piece from byte `offset`. `Conflict` when the last one ended elsewhere; the last piece makes the file."""
    async with unit_of_work(context.db) as session:
        upload, row = await own(session, actor, upload_id)
        if upload.attachment_id is not None:
            return await progress(session, upload)
        if clock_of(session).now() >= upload.expires_at:
            raise Gone("上传已过期，请重新发送", code="upload_expired")
        if offset != upload.received:
            raise Conflict(ELSEWHERE, code="wrong_offset")
        await files.check(session, row, upload.sender, upload.media_type, upload.size)
        data = data[: upload.size - offset]
        part_id = new_id()
        key = f"uploads/{upload_id.hex}/{part_id.hex}"
        if data:
            session.add(UploadPart(id=part_id, upload_id=upload_id, start=offset, object_key=key))
    if data:
        await _keep(context, upload_id, part_id, key, offset, data)
    async with unit_of_work(context.db) as session:
        upload = await session.get_one(Upload, upload_id)
        if upload.received < upload.size:
            return await progress(session, upload)
    return await _finish(context, actor, upload_id)


async def _keep(context: Context, upload_id: UUID, part_id: UUID, key: str, offset: int, data: bytes) -> None:
    """Bytes first, then the count: whoever was faster with the same piece wins, the other's bytes are swept."""

    async def whole() -> AsyncIterator[bytes]:
        yield data

    await context.objects.put(key, whole())
    async with unit_of_work(context.db) as session:
        upload = await lock(session, Upload, upload_id)
        if upload.received != offset:
            raise Conflict(ELSEWHERE, code="wrong_offset")
        part = await session.get_one(UploadPart, part_id)
        part.size = len(data)
        upload.received = offset + len(data)


async def _finish(context: Context, actor: Actor, upload_id: UUID) -> Progress:
    """All bytes are there: make the file. One that is not what it says ends the upload."""
    async with unit_of_work(context.db) as session:
        upload, row = await own(session, actor, upload_id)
        query = select(UploadPart).where(UploadPart.upload_id == upload_id, UploadPart.size > 0)
        parts = (await session.scalars(query.order_by(UploadPart.start))).all()
    data = b"".join([piece for part in parts async for piece in context.objects.read(part.object_key)])
    try:
        stored = await files.store(context.objects, row.id, upload.media_type, data)
    except Invalid:
        async with unit_of_work(context.db) as session:
            await intend(session, FORGET, upload_id)
        raise
    return await _record(context, actor, upload_id, stored)


async def _record(context: Context, actor: Actor, upload_id: UUID, stored: StoredFile) -> Progress:
    async with unit_of_work(context.db) as session:
        upload = await lock(session, Upload, upload_id)
        done = await progress(session, upload)
        if done.attachment is None:
            row = await queries.encounter(session, upload.encounter_id)
            attachment = files.record(session, actor, row, upload.sender, stored)
            upload.attachment_id = attachment.id
            await intend(session, FORGET, upload_id)
            return Progress(upload, attachment)
    for key in filter(None, (stored.object_key, stored.small_key)):  # somebody was faster
        await context.objects.delete(key)
    return done


async def forget(context: Context, upload_id: UUID) -> None:
    """The pieces go; the row of a finished upload stays, so that asking again finds its file."""
    async with unit_of_work(context.db) as session:
        found = await session.scalars(select(UploadPart).where(UploadPart.upload_id == upload_id))
        keys = [part.object_key for part in found]
    for key in keys:
        try:
            await context.objects.delete(key)
        except NotThere:
            continue
    async with unit_of_work(context.db) as session:
        upload = await lock(session, Upload, upload_id)
        await session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id))
        if upload.attachment_id is None:
            await session.delete(upload)
