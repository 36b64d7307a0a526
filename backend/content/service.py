"""Publishing and reading documents."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from backend.content.model import Document, HospitalProfile
from foundation.canonical import sha256
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound

FOLDER = Path(__file__).parent / "documents"


async def current_document(session: AsyncSession, kind: str) -> Document:
    """The newest version of `kind`."""
    query = select(Document).where(Document.kind == kind).order_by(Document.published_at.desc()).limit(1)
    document = await session.scalar(query)
    if document is None:
        raise NotFound("没有这份文件", code="document_not_found")
    return document


async def current_documents(session: AsyncSession) -> Sequence[Document]:
    """The newest version of every kind."""
    newest = distinct_on(Document.kind)
    query = select(Document).ext(newest).order_by(Document.kind, Document.published_at.desc())
    return (await session.scalars(query)).all()


async def hospital(session: AsyncSession) -> HospitalProfile:
    """The hospital this installation serves; `NotFound` before `seed`."""
    row = await session.scalar(select(HospitalProfile).limit(1))
    if row is None:
        raise NotFound("医院信息尚未导入", code="no_hospital")
    return row


async def publish_folder(session: AsyncSession) -> int:
    """Publish the documents that ship with the software where their text is not the current one; returns how many."""
    count = 0
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0].lstrip("# ").strip()
        digest = sha256(text.encode()).hex()
        query = select(Document.content_hash).where(Document.kind == path.stem)
        known = (await session.scalars(query.order_by(Document.published_at))).all()
        if known and known[-1] == digest:
            continue
        session.add(
            Document(
                kind=path.stem, version=f"{len(known) + 1}.0", title=title, body=text, content_hash=digest,
                published_at=clock_of(session).now(),
            )
        )  # fmt: skip
        count += 1
    return count
