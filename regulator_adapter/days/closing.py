"""What is written down when a day closes: the records as they stood, and the text that we seal."""

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.canonical import sha256
from regulator_adapter.days import counting
from regulator_adapter.days.counting import PEOPLE, Span
from regulator_adapter.days.model import FrozenRecords, PlatformCount, Statement
from regulator_adapter.days.rules import Record, RecordsDigest
from regulator_adapter.model import Submission

PAGE = 2_000
"""Records in one frozen page: two hundred kilobytes before it is packed."""


async def live_records(session: AsyncSession, span: Span) -> AsyncIterator[list[Record]]:
    """The day's records as they stand now, by number, a page at a time."""
    row = Submission
    query = (
        select(row.number, row.profile, row.method, row.business_number, row.state, row.receipt)
        .where(*span.of(row))
        .order_by(row.number, row.profile, row.method, row.business_number)
        .execution_options(yield_per=PAGE)
    )
    result = await session.stream(query)
    async for page in result.partitions(PAGE):
        yield [[*one[:4], one.state.value, one.receipt] for one in page]


@dataclass(frozen=True)
class Frozen:
    """The records of a day, packed, and what the closing says of them."""

    pages: list[bytes]
    told: dict[str, Any]


async def pack(session: AsyncSession, span: Span) -> Frozen:
    """The records as they stand: one that is given back later changes, the proof of this closing does not. A hundred thousand take
    seconds, so that nobody is held up by it: whoever closes the day looks again whether something changed."""
    digest, pages = RecordsDigest(), []
    async for page in live_records(session, span):
        for record in page:
            digest.add(record)
        pages.append(zlib.compress(msgspec.json.encode(page), level=1))
    return Frozen(pages, digest.as_text())


def keep(session: AsyncSession, row: Statement, frozen: Frozen) -> None:
    """With the closing, in its transaction."""
    session.add_all(
        FrozenRecords(statement_id=row.id, page=at, records=packed) for at, packed in enumerate(frozen.pages)
    )


async def frozen_records(session: AsyncSession, row: Statement) -> AsyncIterator[list[Record]]:
    """The records as they stood when `row` was closed, a page at a time; nothing for a day closed before they were kept."""
    query = (
        select(FrozenRecords.records)
        .where(FrozenRecords.statement_id == row.id)
        .order_by(FrozenRecords.page)
        .execution_options(yield_per=1)
    )
    async for packed in await session.stream_scalars(query):
        yield msgspec.json.decode(zlib.decompress(packed), type=list[Record])


async def closing_of(
    session: AsyncSession, row: Statement, now: datetime, records: dict[str, Any]
) -> dict[str, Any]:
    """What we seal at the end: both texts by their hashes, the records by theirs, who counted what, who carried what over."""
    span = Span(row.day, row.through)
    counts = await session.scalars(
        select(PlatformCount)
        .where(PlatformCount.statement_id == row.id)
        .order_by(PlatformCount.profile, PlatformCount.method)
    )
    carried = await counting.unsettled(session, span, PEOPLE, carried=True)
    return {
        "day": row.day.isoformat(),
        "supplement": row.supplement,
        "closedAt": now.isoformat(),
        "ours": sha256(row.ours.encode()).hex(),
        "theirs": sha256(row.theirs.encode()).hex() if row.theirs else "",
        "sent": row.sent,
        "records": records,
        "repairs": row.repairs,
        "counts": [
            {
                "profile": one.profile, "method": one.method, "count": one.count, "duplicates": one.duplicates,
                "by": one.entered_by, "at": one.entered_at.isoformat(),
            }
            for one in counts
        ],
        "carriedOver": [
            {
                "submission": str(one.id), "number": one.number, "profile": one.profile, "method": one.method,
                "by": one.carried_by, "reason": one.carried_reason,
                "at": one.carried_at.isoformat() if one.carried_at else "",
            }
            for one in carried
        ],
    }  # fmt: skip
