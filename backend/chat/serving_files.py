"""A stored file as an HTTP answer: whole, small, or a range of it (phones play sound by ranges)."""

import re
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response, StreamingResponse

from backend.chat.model import Attachment
from foundation.errors import NotFound
from foundation.object_store import ObjectStore
from foundation.web.bodies import begun

_RANGE = re.compile(r"bytes=(\d{0,9})-(\d{0,9})")
WHOLE = "private, no-store"
SMALL = "private, max-age=3600"
"""Small pictures are in every look at a conversation: over 64 kbit/s they come once an hour."""


async def file(session: AsyncSession, attachment_id: UUID) -> Attachment:
    """By id; `NotFound`."""
    found = await session.get(Attachment, attachment_id)
    if found is None:
        raise NotFound("没有找到该文件", code="attachment_not_found")
    return found


async def answer(objects: ObjectStore, row: Attachment, *, small: bool, asked: str) -> Response:
    """The file; `asked` is the Range header."""
    headers = {"content-disposition": "inline", "x-content-type-options": "nosniff"}
    if small and row.small_key:
        content = await begun(objects.read(row.small_key))
        return StreamingResponse(
            content, media_type="image/jpeg", headers={**headers, "cache-control": SMALL}
        )
    headers |= {"cache-control": WHOLE, "accept-ranges": "bytes"}
    part = byte_range(asked, row.size)
    if part is None:
        headers["content-length"] = str(row.size)
        content = await begun(objects.read(row.object_key))
        return StreamingResponse(content, media_type=row.media_type, headers=headers)
    start, end = part
    if start > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{row.size}"})
    headers |= {"content-range": f"bytes {start}-{end}/{row.size}", "content-length": str(end - start + 1)}
    content = await begun(objects.read(row.object_key, start, end - start + 1))
    return StreamingResponse(content, 206, media_type=row.media_type, headers=headers)


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; None for the whole; a range that begins after the end has its ends crossed."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last) if last else size - 1, size - 1)
