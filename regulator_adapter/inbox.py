"""Takes deliveries: every digest recomputed, every event stored once, its records written down as `received`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import events
from contracts.envelope import Envelope
from foundation.chain import GENESIS, link
from foundation.db.base import hospital_id
from foundation.db.bulk import insert_all, insert_new
from foundation.db.guards import guarded
from foundation.db.outbox import digest_of
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import Invalid, Issue
from foundation.ids import new_id
from foundation.logs import log
from regulator_adapter import profiles
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.routing import UNROUTED, Routing, Stop
from regulator_adapter.settings import Timing
from regulator_adapter.streams import Recent
from regulator_adapter.timing import due_at

LARGEST = 500
NUMBER_LENGTH = 100


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('inbox', 0))")


@dataclass(frozen=True)
class Inbox:
    """Where deliveries go in. What has arrived is remembered for the mapper, who wants it next."""

    db: Database
    routing: Routing
    timing: Timing
    recent: Recent = field(default_factory=Recent)

    async def take(self, delivered: Sequence[Envelope]) -> list[UUID]:
        """Store what is new and return all ids; `Invalid` names every event that is not what it says, and stores none."""
        _refuse(delivered)
        read: dict[UUID, Any] = {}
        async with unit_of_work(self.db) as session:
            if guarded("inbox_lock"):
                # Two deliveries that follow each other must not both look for a neighbour that the other has not committed.
                await session.execute(_ONE_AT_A_TIME)
            stops = {
                event.event_id: stops_of(self.routing, event.event_id, event.type, event.payload, read)
                for event in delivered
            }
            fresh = await _store(session, delivered, stops)
            if fresh:
                await insert_all(session, {Submission: self._rows(session, fresh, stops)})
        self.recent.put(read.items())
        return [event.event_id for event in delivered]

    def _rows(
        self, session: AsyncSession, fresh: Sequence[Envelope], stops: Mapping[UUID, Sequence[Stop]]
    ) -> list[dict[str, Any]]:
        now, rows = clock_of(session).now(), []
        for event in fresh:
            for stop in stops[event.event_id]:
                due = now
                if stop.method != UNROUTED:
                    profile = profiles.profile(stop.profile)
                    due = due_at(profile, stop.method, event.occurred_at, now, self.timing)
                rows.append(
                    {
                        "id": new_id(), "event_id": event.event_id, "event_type": event.type, "stream": event.stream,
                        "number": event.number, "occurred_at": event.occurred_at, "profile": stop.profile,
                        "method": stop.method, "business_number": stop.number, "due_at": due, "needs": [],
                    }
                )  # fmt: skip
        return rows


def stops_of(
    routing: Routing, event_id: UUID, kind: str, payload: Any, read: dict[UUID, Any] | None = None
) -> list[Stop]:
    """The records of an event, which goes into `read`; one row for people when it cannot be read."""
    try:
        decoded = msgspec.convert(payload, events.BY_TYPE[kind], strict=False)
        stops = routing.stops(kind, decoded)
        if read is not None:
            read[event_id] = decoded
    except (KeyError, msgspec.ValidationError) as error:
        log.error("event_unreadable", event_id=str(event_id), type=kind, error=type(error).__name__)
        stops = []
    if not stops or any(len(stop.number) > NUMBER_LENGTH or "\0" in stop.number for stop in stops):
        return [Stop(routing.chain.profile, UNROUTED, str(event_id))]
    return stops


def _refuse(delivered: Sequence[Envelope]) -> None:
    if not 1 <= len(delivered) <= LARGEST:
        raise Invalid(issues=[Issue("events", "wrong_length", f"每次应为 1 到 {LARGEST} 个事件")])
    issues = [issue for at, event in enumerate(delivered) for issue in _issues(f"events.{at}", event)]
    if issues:
        raise Invalid("事件校验未通过", issues=issues)


def _issues(path: str, event: Envelope) -> list[Issue]:
    name = str(event.event_id)
    found = []
    if event.hospital_id != hospital_id():
        found.append(Issue(f"{path}.hospital_id", "wrong_hospital", f"事件 {name} 不属于本院"))
    if not (1 <= len(event.stream) <= 80 and 1 <= len(event.type) <= 60) or "\0" in event.stream + event.type:
        found.append(Issue(f"{path}.stream", "wrong_length", f"事件 {name} 的流或类型长度不正确"))
    if not (1 <= event.number < 2**62 and 1 <= event.sequence < 2**31 and 0 <= event.version < 2**31):
        found.append(Issue(f"{path}.number", "out_of_range", f"事件 {name} 的编号不正确"))
    if event.occurred_at.tzinfo is None:
        return [*found, Issue(f"{path}.occurred_at", "wrong_format", f"事件 {name} 的时间没有时区")]
    if len(_bytes(event.head)) != 32:
        found.append(Issue(f"{path}.head", "wrong_format", f"事件 {name} 的链值不是 64 位十六进制"))
    if not _digest_fits(event):
        found.append(Issue(f"{path}.digest", "digest_mismatch", f"事件 {name} 的摘要与内容不符"))
    return found


def _digest_fits(event: Envelope) -> bool:
    try:
        computed = digest_of(
            event_id=event.event_id, stream=event.stream, sequence=event.sequence, kind=event.type,
            version=event.version, occurred_at=event.occurred_at.astimezone(UTC), payload=event.payload,
        )  # fmt: skip
    except (TypeError, ValueError):
        return False  # a float, or a lone surrogate: no sender of ours writes one
    return computed == _bytes(event.digest)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


async def _store(
    session: AsyncSession, delivered: Sequence[Envelope], stops: Mapping[UUID, Sequence[Stop]]
) -> list[Envelope]:
    """Insert what is new and return it; `Invalid` when an id or a number is taken by something else."""
    now = clock_of(session).now()
    once = {event.event_id: event for event in delivered}
    linked = await _links(session, once.values())
    rows = [
        {
            "id": new_id(), "event_id": event.event_id, "type": event.type, "version": event.version, "stream": event.stream,
            "sequence": event.sequence, "number": event.number, "occurred_at": event.occurred_at, "received_at": now,
            "payload": event.payload, "digest": _bytes(event.digest), "head": _bytes(event.head),
            "linked": linked.get(event.number), "records": len(stops[event.event_id]),
        }
        for event in once.values()
    ]  # fmt: skip
    fresh = set(await insert_new(session, ReceivedEvent, rows, "event_id"))
    known = [event for event in delivered if event.event_id not in fresh]
    if known:
        await _compare(session, known)
    found = [event for event in once.values() if event.event_id in fresh]
    await _link_after(session, found)
    return found


async def _compare(session: AsyncSession, known: Sequence[Envelope]) -> None:
    """What was here before must be the same event, or somebody rewrote history."""
    query = select(ReceivedEvent.event_id, ReceivedEvent.digest, ReceivedEvent.head).where(
        ReceivedEvent.event_id.in_({event.event_id for event in known})
    )
    stored = {row.event_id: (row.digest, row.head) for row in await session.execute(query)}
    issues = [
        Issue("events", "already_different", f"事件 {event.event_id} 或其编号 {event.number} 已有不同内容")
        for event in known
        if stored.get(event.event_id) != (_bytes(event.digest), _bytes(event.head))
    ]
    if issues:
        raise Invalid("事件与已收到的不一致", issues=issues)


async def _links(session: AsyncSession, delivered: Collection[Envelope]) -> dict[int, bool]:
    """By number, whether an event follows the one before it; nothing where that one is not here."""
    heads = {event.number: _bytes(event.head) for event in delivered} | {0: GENESIS}
    missing = {event.number - 1 for event in delivered} - heads.keys()
    if missing:
        query = select(ReceivedEvent.number, ReceivedEvent.head).where(
            ReceivedEvent.hospital_id == hospital_id(), ReceivedEvent.number.in_(missing)
        )
        heads |= {row.number: row.head for row in await session.execute(query)}
    return {
        event.number: _bytes(event.head) == link(heads[event.number - 1], event.number, _bytes(event.digest))
        for event in delivered
        if event.number - 1 in heads
    }


async def _link_after(session: AsyncSession, fresh: Sequence[Envelope]) -> None:
    """Events that were here before the one they follow: a gap is filled."""
    heads = {event.number: _bytes(event.head) for event in fresh}
    after = {number + 1 for number in heads} - heads.keys()
    if not after:
        return
    query = select(ReceivedEvent.id, ReceivedEvent.number, ReceivedEvent.digest, ReceivedEvent.head).where(
        ReceivedEvent.hospital_id == hospital_id(), ReceivedEvent.number.in_(after)
    )
    changes = [
        {"id": row.id, "linked": row.head == link(heads[row.number - 1], row.number, row.digest)}
        for row in await session.execute(query)
    ]
    if changes:
        await session.execute(update(ReceivedEvent), changes)
