"""The relay: seals, then delivers sealed events in order to a sink.

Leases, not long transactions: a batch is claimed, delivered with nothing locked, and marked when the other side has stored it.
At least once: the adapter keeps each event once by its id.

An event that cannot go for a reason of its own (its content does not open, the adapter refuses it) is held: it is tried again after
minutes, apart from the others, and shown to people. Later events of its stream go on; the adapter waits with them for this one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from backend.supervision.holding import ring, watch
from backend.supervision.rules import UNREADABLE, held_for
from backend.supervision.sinks import Delivered, Sealed, Sink
from foundation.crypto import CannotOpenError
from foundation.db.bulk import driver
from foundation.db.columns import keyring
from foundation.db.guards import guarded
from foundation.db.outbox import CHANNEL, PAYLOAD
from foundation.db.sealer import seal_audit, seal_outbox
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.logs import log

BATCH = 300
HELD_AT_ONCE = 5
"""Held ones in a step: each is a delivery of its own, and what is new must not wait for many."""
LEASE = timedelta(seconds=30)
AGAIN = timedelta(seconds=1)
POLL_SECONDS = 1.0
WATCH_SECONDS = 15.0


def _claiming(free: str) -> str:
    return (
        "WITH free AS (SELECT id FROM outbox_event WHERE relayed_at IS NULL AND sealed_number IS NOT NULL AND payload IS NOT NULL "
        f"AND {free} LIMIT $2 FOR UPDATE SKIP LOCKED) "
        "UPDATE outbox_event AS row SET claimed_until = $3 FROM free WHERE row.id = free.id "
        "RETURNING row.id, row.type, row.version, row.hospital_id, row.stream, row.sequence, row.sealed_number, row.occurred_at, "
        "row.payload, row.digest, row.head, row.held_times"
    )


_CLAIM = _claiming("held_times = 0 AND (claimed_until IS NULL OR claimed_until < $1) ORDER BY sealed_number")
_CLAIM_HELD = _claiming("held_times > 0 AND claimed_until < $1 ORDER BY claimed_until")
_DONE = (
    "UPDATE outbox_event SET relayed_at = $1, held_times = 0, held_reason = '' "
    "WHERE id = ANY($2::uuid[]) AND relayed_at IS NULL"
)
_LEFT = "UPDATE outbox_event SET claimed_until = $1 WHERE id = ANY($2::uuid[])"
_HOLD = (
    "UPDATE outbox_event AS row SET claimed_until = new.again, held_times = row.held_times + 1, held_reason = new.reason "
    "FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS new (id, again, reason) "
    "WHERE row.id = new.id AND row.relayed_at IS NULL"
)


class _Envelope(msgspec.Struct):
    """`contracts.envelope.Envelope`, its payload as the bytes that were stored."""

    event_id: UUID
    type: str
    version: int
    hospital_id: UUID
    stream: str
    sequence: int
    number: int
    occurred_at: datetime
    payload: msgspec.Raw
    digest: str
    head: str


@dataclass
class Relay:
    """One relay of one worker process; several may run, leases keep them apart."""

    db: Database
    sink: Sink
    database_dsn: str
    batch: int = BATCH
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Until cancelled: woken by NOTIFY, and every second anyway."""
        beside = [asyncio.create_task(one()) for one in (self._listen, self._seal_audit, self._watch)]
        try:
            while True:
                try:
                    busy = await self.step()
                except Exception as error:
                    log.warning("relay_failed", error=f"{type(error).__name__}: {error}")
                    busy = False
                    await asyncio.sleep(0.5)
                if not busy:
                    await self._wait()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.sink.close()

    async def step(self) -> bool:
        """Seal what is new and deliver one batch; True when there was something to do."""
        self._woken.clear()
        sealed = await seal_outbox(self.db)
        claimed = await self._claim()
        if claimed:
            await self._deliver(claimed)
        return bool(sealed or claimed)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()

    async def _seal_audit(self) -> None:
        """The other chain has no hurry."""
        while True:
            try:
                while await seal_audit(self.db):
                    pass
            except Exception as error:
                log.warning("audit_not_sealed", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(POLL_SECONDS)

    async def _watch(self) -> None:
        while True:
            try:
                await watch(self.db)
            except Exception as error:
                log.warning("outbox_not_watched", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(WATCH_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                connection = await asyncpg.connect(self.database_dsn)
                try:
                    await connection.add_listener(CHANNEL, self._wake)
                    while not connection.is_closed():
                        await asyncio.sleep(5)
                        await connection.execute("SELECT 1")
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("relay_listen_lost", error=str(error))
                await asyncio.sleep(1)

    def _wake(self, *_: Any) -> None:
        self._woken.set()

    async def _claim(self) -> list[asyncpg.Record]:
        now = self.db.clock.now()
        until = now + LEASE if guarded("relay_lease") else None
        async with unit_of_work(self.db) as session:
            connection = await driver(session)
            rows = await connection.fetch(_CLAIM, now, self.batch, until)
            rows += await connection.fetch(_CLAIM_HELD, now, HELD_AT_ONCE, until)
        return sorted(rows, key=lambda row: row["sealed_number"])

    async def _deliver(self, rows: Sequence[asyncpg.Record]) -> None:
        """Mark what is stored on the other side and what cannot go as it is; the rest is free again in a moment."""
        ready, closed = opened(rows)
        found = Delivered()
        try:
            if ready:
                found = await self.sink.deliver(ready)
        finally:
            await self._mark(rows, found.stored, closed | found.refused)

    async def _mark(
        self, rows: Sequence[asyncpg.Record], stored: set[UUID], refused: dict[UUID, str]
    ) -> None:
        async with unit_of_work(self.db) as session:
            connection, now = await driver(session), self.db.clock.now()
            done = [row["id"] for row in rows if row["id"] in stored]
            held = [row for row in rows if row["id"] in refused and row["id"] not in stored]
            left = [row["id"] for row in rows if row["id"] not in stored and row["id"] not in refused]
            if done:
                await connection.execute(_DONE, now, done)
            if left:
                await connection.execute(_LEFT, now + AGAIN, left)
            if held:
                again = [now + held_for(row["held_times"] + 1) for row in held]
                reasons = [refused[row["id"]] for row in held]
                await connection.execute(_HOLD, [row["id"] for row in held], again, reasons)
                await ring(session, [row for row in held if not row["held_times"]], refused)


def opened(rows: Sequence[asyncpg.Record]) -> tuple[list[Sealed], dict[UUID, str]]:
    """Those that can travel, and why others cannot: one that does not open must not keep the others here."""
    ready, closed = [], {}
    for row in rows:
        try:
            ready.append(sealed(row, alone=row["held_times"] > 0))
        except CannotOpenError as error:
            log.error("event_unreadable", event_id=str(row["id"]), type=row["type"], error=str(error))
            closed[row["id"]] = UNREADABLE
    return ready, closed


def sealed(row: Any, *, alone: bool = False) -> Sealed:
    """The row as it travels."""
    body = msgspec.json.encode(
        _Envelope(
            event_id=row["id"], type=row["type"], version=row["version"], hospital_id=row["hospital_id"], stream=row["stream"],
            sequence=row["sequence"], number=row["sealed_number"], occurred_at=row["occurred_at"],
            payload=msgspec.Raw(keyring().open(row["payload"], PAYLOAD)), digest=row["digest"].hex(), head=row["head"].hex(),
        )
    )  # fmt: skip
    return Sealed(row["id"], row["type"], body, alone)
