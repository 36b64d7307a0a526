"""Stored events of a batch, and for records that look back what came before them in their streams; each decoded once."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import events
from foundation.db.base import hospital_id
from regulator_adapter.mapping.source import Place
from regulator_adapter.model import ReceivedEvent


class Streams:
    """`load` first; then everything is in memory."""

    def __init__(self) -> None:
        self._rows: dict[UUID, ReceivedEvent] = {}
        self._streams: dict[str, list[ReceivedEvent]] = {}
        self._decoded: dict[UUID, Any] = {}

    async def load(self, session: AsyncSession, ids: Collection[UUID], streams: Collection[str]) -> None:
        """The events with `ids`, and whole `streams`."""
        if streams:
            query = (
                select(ReceivedEvent)
                .where(ReceivedEvent.hospital_id == hospital_id(), ReceivedEvent.stream.in_(streams))
                .order_by(ReceivedEvent.stream, ReceivedEvent.sequence)
            )
            for row in await session.scalars(query):
                self._streams.setdefault(row.stream, []).append(row)
                self._rows[row.event_id] = row
        rest = [one for one in ids if one not in self._rows]
        if rest:
            for row in await session.scalars(select(ReceivedEvent).where(ReceivedEvent.event_id.in_(rest))):
                self._rows[row.event_id] = row

    def row(self, event_id: UUID) -> ReceivedEvent:
        """The stored event."""
        return self._rows[event_id]

    def event(self, row: ReceivedEvent) -> Any:
        """The event itself; `KeyError` for a type nobody knows, `ValidationError` when its fields are not those of its type."""
        if row.event_id not in self._decoded:
            kind = events.BY_TYPE[row.type]
            self._decoded[row.event_id] = msgspec.convert(row.payload, kind, strict=False)
        return self._decoded[row.event_id]

    def earlier(self, row: ReceivedEvent) -> Sequence[ReceivedEvent] | None:
        """Events of the stream before `row`, oldest first; None while one of them has not arrived."""
        before = [one for one in self._streams[row.stream] if one.sequence < row.sequence]
        return before if len(before) == row.sequence - 1 else None

    def later(self, row: ReceivedEvent) -> Sequence[ReceivedEvent]:
        """Events of the stream after `row` that are here, oldest first."""
        return [one for one in self._streams[row.stream] if one.sequence > row.sequence]

    def readable(self, rows: Sequence[ReceivedEvent]) -> list[Any]:
        """Those that can be read: an old event that cannot must not keep a new one back."""
        found = []
        for row in rows:
            try:
                found.append(self.event(row))
            except (KeyError, msgspec.ValidationError):
                continue
        return found


def place_of(row: ReceivedEvent) -> Place:
    """The envelope around a stored event."""
    return Place(
        row.event_id, row.type, row.stream, row.sequence, row.number, row.occurred_at, row.digest, row.head
    )
