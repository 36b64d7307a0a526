"""The proof of a closed day as one file: both statements with their seals, every event's place, every record's receipt.

`proving.py` checks it without a database, a network or this process.
"""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.db.base import hospital_id
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Conflict, NotFound
from regulator_adapter.days.closing import frozen_records, live_records
from regulator_adapter.days.counting import PAGE, Span
from regulator_adapter.days.model import Statement
from regulator_adapter.days.proving import VERSION
from regulator_adapter.days.rules import Record
from regulator_adapter.model import ReceivedEvent


async def bundle_of(db: Database, day: date, supplement: int | None = None) -> dict[str, Any]:
    """Of one closed statement of `day`, the newest unless it is named. `NotFound` without one, `Conflict` while it is open."""
    async with unit_of_work(db) as session:
        query = (
            select(Statement)
            .where(Statement.hospital_id == hospital_id(), Statement.day == day)
            .order_by(Statement.closed_at.is_(None), Statement.supplement.desc())
            .limit(1)
        )
        if supplement is not None:
            query = query.where(Statement.supplement == supplement)
        row: Statement | None = await session.scalar(query)
        if row is None:
            raise NotFound("这一天没有对账单")
        if row.closed_at is None:
            raise Conflict("这一天还没有结清", code="day_not_closed")
        return {
            "version": VERSION,
            "ours": {"text": row.ours, "seal": row.our_seal},
            "theirs": {"text": row.theirs, "seal": row.their_seal},
            "closing": {"text": row.closing, "seal": row.closing_seal},
            "events": await _events(session, Span(day, row.through)),
            "records": await _records(session, row),
        }


async def _events(session: AsyncSession, span: Span) -> list[list[Any]]:
    """[number, event id, type, stream, place in the stream, digest, head, head of the number before]."""
    event = ReceivedEvent
    query = (
        select(
            event.number, event.event_id, event.type, event.stream, event.sequence, event.digest, event.head
        )
        .where(*span.of(event))
        .order_by(event.number)
        .execution_options(yield_per=PAGE)
    )  # fmt: skip
    found: list[list[Any]] = []
    last, head = 0, bytes(32)
    async for row in await session.stream(query):
        if row.number != last + 1:
            before = await session.scalar(
                select(event.head).where(event.hospital_id == hospital_id(), event.number == row.number - 1)
            )
            head = before if before is not None else bytes(32)
        found.append([*row[:1], str(row.event_id), *row[2:5], row.digest.hex(), row.head.hex(), head.hex()])
        last, head = row.number, row.head
    return found


async def _records(session: AsyncSession, row: Statement) -> list[Record]:
    """As they stood when the day was closed; as they stand now for a day that was closed before they were kept."""
    found = [record async for page in frozen_records(session, row) for record in page]
    if found:
        return found
    return [record async for page in live_records(session, Span(row.day, row.through)) for record in page]
