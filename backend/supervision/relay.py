"""The relay: seals, then delivers sealed events in order to a sink.

Leases, not long transactions: a batch is claimed, delivered with nothing locked, and marked when the other side has stored it.
At least once: the adapter keeps each event once by its id.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from prometheus_client import Gauge
from sqlalchemy import func, select

from backend.supervision.sinks import Sealed, Sink
from foundation.db.bulk import driver
from foundation.db.columns import keyring
from foundation.db.guards import guarded
from foundation.db.outbox import CHANNEL, PAYLOAD, OutboxEvent
from foundation.db.sealer import seal_audit, seal_outbox
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.logs import log

BATCH = 300
LEASE = timedelta(seconds=30)
AGAIN = timedelta(seconds=1)
POLL_SECONDS = 1.0
UNDELIVERED = Gauge("outbox_undelivered", "sealed events the adapter has not acknowledged")

_FREE = (
    "SELECT id FROM outbox_event WHERE relayed_at IS NULL AND sealed_number IS NOT NULL AND payload IS NOT NULL "
    "AND (claimed_until IS NULL OR claimed_until < $1) ORDER BY sealed_number LIMIT $2 FOR UPDATE SKIP LOCKED"
)
_CLAIM = (
    f"WITH free AS ({_FREE}) UPDATE outbox_event AS row SET claimed_until = $3 FROM free WHERE row.id = free.id "
    "RETURNING row.id, row.type, row.version, row.hospital_id, row.stream, row.sequence, row.sealed_number, row.occurred_at, "
    "row.payload, row.digest, row.head"
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
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Until cancelled: woken by NOTIFY, and every second anyway."""
        beside = [asyncio.create_task(self._listen()), asyncio.create_task(self._seal_audit())]
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
        batch = await self._claim()
        if batch:
            await self._deliver(batch)
        return bool(sealed or batch)

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

    async def _claim(self) -> list[Sealed]:
        now = self.db.clock.now()
        until = now + LEASE if guarded("relay_lease") else None
        async with unit_of_work(self.db) as session:
            rows = await (await driver(session)).fetch(_CLAIM, now, BATCH, until)
        return [sealed(row) for row in sorted(rows, key=lambda row: row["sealed_number"])]

    async def _deliver(self, events: Sequence[Sealed]) -> None:
        """Mark what is stored on the other side; the rest is free again in a moment."""
        stored: set[UUID] = set()
        try:
            stored = await self.sink.deliver(events)
        finally:
            await self._mark(
                [one.id for one in events if one.id in stored],
                [one.id for one in events if one.id not in stored],
            )

    async def _mark(self, done: Collection[UUID], left: Collection[UUID]) -> None:
        async with unit_of_work(self.db) as session:
            connection, now = await driver(session), self.db.clock.now()
            if done:
                await connection.execute(
                    "UPDATE outbox_event SET relayed_at = $1 WHERE id = ANY($2::uuid[]) AND relayed_at IS NULL",
                    now,
                    list(done),
                )
            if left:
                await connection.execute(
                    "UPDATE outbox_event SET claimed_until = $1 WHERE id = ANY($2::uuid[])",
                    now + AGAIN,
                    list(left),
                )


def sealed(row: Any) -> Sealed:
    """The row as it travels."""
    body = msgspec.json.encode(
        _Envelope(
            event_id=row["id"], type=row["type"], version=row["version"], hospital_id=row["hospital_id"], stream=row["stream"],
            sequence=row["sequence"], number=row["sealed_number"], occurred_at=row["occurred_at"],
            payload=msgspec.Raw(keyring().open(row["payload"], PAYLOAD)), digest=row["digest"].hex(), head=row["head"].hex(),
        )
    )  # fmt: skip
    return Sealed(row["id"], row["type"], body)


async def undelivered(db: Database) -> int:
    """How many events the adapter does not have yet; also the gauge."""
    async with unit_of_work(db) as session:
        query = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.relayed_at.is_(None))
        count = await session.scalar(query) or 0
    UNDELIVERED.set(count)
    return count
