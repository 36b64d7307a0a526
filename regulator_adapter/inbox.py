"""Takes deliveries: every digest recomputed, every event stored once, its records written down as `received`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import events
from contracts.envelope import Envelope
from foundation.chain import GENESIS, link
from foundation.db.base import hospital_id
from foundation.db.outbox import digest_of
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import Invalid, Issue
from foundation.ids import new_id
from foundation.logs import log
from regulator_adapter import profiles
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.routing import UNROUTED, Routing, Stop
from regulator_adapter.settings import Timing
from regulator_adapter.timing import due_at

LARGEST = 500
NUMBER_LENGTH = 100


@dataclass(frozen=True)
class Inbox:
    """Where deliveries go in."""

    db: Database
    routing: Routing
    timing: Timing

    async def take(self, delivered: Sequence[Envelope]) -> list[UUID]:
        """Store what is new and return all ids; `Invalid` names every event that is not what it says, and stores none."""
        _refuse(delivered)
        async with unit_of_work(self.db) as session:
            fresh = await _store(session, delivered)
            if fresh:
                await _link(session, {event.number for event in fresh})
                await self._route(session, fresh)
        return [event.event_id for event in delivered]

    async def _route(self, session: AsyncSession, fresh: Sequence[Envelope]) -> None:
        now = clock_of(session).now()
        rows = []
        for event in fresh:
            for stop in _stops(self.routing, event):
                due = now
                if stop.method != UNROUTED:
                    profile = profiles.profile(stop.profile)
                    due = due_at(profile, stop.method, event.occurred_at, now, self.timing)
                rows.append(
                    Submission(
                        id=new_id(), event_id=event.event_id, event_type=event.type, stream=event.stream, number=event.number,
                        occurred_at=event.occurred_at, profile=stop.profile, method=stop.method,
                        business_number=stop.number, due_at=due,
                    )
                )  # fmt: skip
        session.add_all(rows)


def _stops(routing: Routing, event: Envelope) -> list[Stop]:
    """The records of an event; one row for people when it cannot be read."""
    try:
        decoded = msgspec.convert(event.payload, events.BY_TYPE[event.type], strict=False)
        stops = routing.stops(event.type, decoded)
    except (KeyError, msgspec.ValidationError) as error:
        log.error(
            "event_unreadable", event_id=str(event.event_id), type=event.type, error=type(error).__name__
        )
        stops = []
    if not stops or any(len(stop.number) > NUMBER_LENGTH or "\0" in stop.number for stop in stops):
        return [Stop(routing.chain.profile, UNROUTED, str(event.event_id))]
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


async def _store(session: AsyncSession, delivered: Sequence[Envelope]) -> list[Envelope]:
    """Insert what is new and return it; `Invalid` when an id or a number is taken by something else."""
    now, ours = clock_of(session).now(), hospital_id()
    rows = [
        {
            "id": new_id(), "hospital_id": ours, "event_id": event.event_id, "type": event.type, "version": event.version,
            "stream": event.stream, "sequence": event.sequence, "number": event.number, "occurred_at": event.occurred_at,
            "received_at": now, "payload": event.payload, "digest": _bytes(event.digest), "head": _bytes(event.head),
        }
        for event in {event.event_id: event for event in delivered}.values()
    ]  # fmt: skip
    statement = insert(ReceivedEvent).on_conflict_do_nothing().returning(ReceivedEvent.event_id)
    fresh = set((await session.scalars(statement, rows)).all())
    known = [event for event in delivered if event.event_id not in fresh]
    if known:
        await _compare(session, known)
    return [
        event for event in {event.event_id: event for event in delivered}.values() if event.event_id in fresh
    ]


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


async def _link(session: AsyncSession, numbers: set[int]) -> None:
    """Check the links that the new events complete, on both of their sides."""
    around = numbers | {number - 1 for number in numbers} | {number + 1 for number in numbers}
    query = select(ReceivedEvent.id, ReceivedEvent.number, ReceivedEvent.digest, ReceivedEvent.head).where(
        ReceivedEvent.hospital_id == hospital_id(), ReceivedEvent.number.in_(around)
    )
    rows = {row.number: row for row in await session.execute(query)}
    heads = {number: row.head for number, row in rows.items()} | {0: GENESIS}
    changes = [
        {"id": row.id, "linked": row.head == link(heads[number - 1], number, row.digest)}
        for number, row in sorted(rows.items())
        if number - 1 in heads and (number in numbers or number - 1 in numbers)
    ]
    if changes:
        await session.execute(update(ReceivedEvent), changes)
