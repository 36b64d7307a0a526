"""Stored events of a batch, and for records that look back what came before them in their streams; each decoded once."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import events
from foundation.db.base import hospital_id
from foundation.db.bulk import driver
from foundation.db.columns import keyring
from regulator_adapter.mapping.source import Place

PAYLOAD = "received_event.payload"
REMEMBERED = 4096
"""Some ten megabytes: the events of the visits that are going on."""

_PLACES = "SELECT event_id, type, stream, sequence, number, occurred_at, digest, head, payload IS NOT NULL AS kept FROM received_event "


class Stored(NamedTuple):
    """A stored event without its content; `kept`: the content is still here, its day is not closed."""

    event_id: UUID
    type: str
    stream: str
    sequence: int
    number: int
    occurred_at: datetime
    digest: bytes
    head: bytes
    kept: bool


class Recent:
    """Events that this process has read lately, by id: what arrives is mapped a moment later, and looked back at soon after."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._events: OrderedDict[UUID, Any] = OrderedDict()

    def put(self, found: Iterable[tuple[UUID, Any]]) -> None:
        """Only what is committed, or the next one to look would see what never was."""
        for event_id, event in found:
            self._events[event_id] = event
            self._events.move_to_end(event_id)
        while len(self._events) > self._most:
            self._events.popitem(last=False)

    def get(self, event_id: UUID) -> Any | None:
        """The event, when it is still here."""
        return self._events.get(event_id)


class Streams:
    """`load` first; then everything is in memory."""

    def __init__(self, recent: Recent | None = None) -> None:
        self._recent = recent or Recent()
        self._rows: dict[UUID, Stored] = {}
        self._streams: dict[str, list[Stored]] = {}
        self._sealed: dict[UUID, bytes] = {}
        self._decoded: dict[UUID, Any] = {}

    async def load(self, session: AsyncSession, ids: Collection[UUID], streams: Collection[str]) -> None:
        """The events with `ids`, and whole `streams`; contents only of those that are not remembered."""
        connection = await driver(session)
        if streams:
            found = await connection.fetch(
                _PLACES + "WHERE hospital_id = $1 AND stream = ANY($2::text[]) ORDER BY stream, sequence",
                hospital_id(), list(streams),
            )  # fmt: skip
            for row in map(_stored, found):
                self._streams.setdefault(row.stream, []).append(row)
                self._rows[row.event_id] = row
        rest = [one for one in ids if one not in self._rows]
        if rest:
            found = await connection.fetch(_PLACES + "WHERE event_id = ANY($1::uuid[])", rest)
            self._rows |= {row.event_id: row for row in map(_stored, found)}
        for event_id in self._rows:
            if (event := self._recent.get(event_id)) is not None:
                self._decoded[event_id] = event
        await self._read(connection)

    async def _read(self, connection: Any) -> None:
        unread = [
            row.event_id for row in self._rows.values() if row.kept and row.event_id not in self._decoded
        ]
        if unread:
            found = await connection.fetch(
                "SELECT event_id, payload FROM received_event WHERE event_id = ANY($1::uuid[])", unread
            )
            self._sealed = {row["event_id"]: row["payload"] for row in found if row["payload"] is not None}

    def row(self, event_id: UUID) -> Stored:
        """The stored event."""
        return self._rows[event_id]

    def event(self, row: Stored) -> Any:
        """The event itself; `KeyError` for a type nobody knows or a content that is gone, `ValidationError` when its fields are not
        those of its type."""
        if row.event_id not in self._decoded:
            plain = keyring().open(self._sealed[row.event_id], PAYLOAD)
            event = msgspec.json.decode(plain, type=events.BY_TYPE[row.type], strict=False)
            self._decoded[row.event_id] = event
            self._recent.put([(row.event_id, event)])
        return self._decoded[row.event_id]

    def earlier(self, row: Stored) -> Sequence[Stored] | None:
        """Events of the stream before `row`, oldest first; None while one of them has not arrived."""
        before = [one for one in self._streams[row.stream] if one.sequence < row.sequence]
        return before if len(before) == row.sequence - 1 else None

    def later(self, row: Stored) -> Sequence[Stored]:
        """Events of the stream after `row` that are here, oldest first."""
        return [one for one in self._streams[row.stream] if one.sequence > row.sequence]

    def readable(self, rows: Sequence[Stored]) -> list[Any]:
        """Those that can be read: an old event that cannot must not keep a new one back."""
        found = []
        for row in rows:
            try:
                found.append(self.event(row))
            except (KeyError, msgspec.ValidationError):
                continue
        return found


def _stored(row: Any) -> Stored:
    return Stored(*row)


def place_of(row: Stored) -> Place:
    """The envelope around a stored event."""
    return Place(
        row.event_id, row.type, row.stream, row.sequence, row.number, row.occurred_at, row.digest, row.head
    )
