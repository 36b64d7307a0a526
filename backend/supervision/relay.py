"""The relay: seals, then posts sealed events in order to the adapter, over mutual TLS.

Leases, not long transactions: a batch is claimed, posted with nothing locked, and marked when the adapter has stored it.
At least once: the adapter keeps each event once by its id.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import asyncpg
import msgspec
from prometheus_client import Gauge
from sqlalchemy import func, or_, select, update

from contracts.envelope import Delivery, Envelope, Received
from foundation.db.outbox import CHANNEL, OutboxEvent
from foundation.db.sealer import seal
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.logs import log

BATCH = 200
PART_BYTES = 800_000
"""Below the megabyte at which a receiver stops reading."""
LEASE = timedelta(seconds=30)
POLL_SECONDS = 1.0
UNDELIVERED = Gauge("outbox_undelivered", "sealed events the adapter has not acknowledged")


@dataclass
class Relay:
    """One relay of one worker process; several may run, leases keep them apart."""

    db: Database
    url: str
    tls: ssl.SSLContext
    database_dsn: str
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def run(self) -> None:
        """Until cancelled: woken by NOTIFY, and every second anyway."""
        listener = asyncio.create_task(self._listen())
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
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener
            if self._session is not None:
                await self._session.close()

    async def step(self) -> bool:
        """Seal what is new and deliver one batch; True when there was something to do."""
        sealed = await seal(self.db)
        batch = await self._claim()
        if batch:
            await self._deliver(batch)
        return bool(sealed or batch)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
        self._woken.clear()

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

    async def _claim(self) -> list[OutboxEvent]:
        now = self.db.clock.now()
        free = or_(OutboxEvent.claimed_until.is_(None), OutboxEvent.claimed_until < now)
        async with unit_of_work(self.db) as session:
            query = (
                select(OutboxEvent)
                .where(OutboxEvent.sealed_number.is_not(None), OutboxEvent.relayed_at.is_(None), free)
                .order_by(OutboxEvent.sealed_number)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
            rows = list(await session.scalars(query))
            if rows:
                ids = [row.id for row in rows]
                statement = update(OutboxEvent).where(OutboxEvent.id.in_(ids))
                await session.execute(statement.values(claimed_until=now + LEASE))
            return rows

    async def _deliver(self, rows: list[OutboxEvent]) -> None:
        """Post what was claimed, in parts of a bearable size; mark what the adapter has stored."""
        stored: set[Any] = set()
        try:
            for part in parts(rows):
                stored |= await self._stored(part)
        finally:
            async with unit_of_work(self.db) as session:
                now = self.db.clock.now()
                done = [row.id for row in rows if row.id in stored]
                left = [row.id for row in rows if row.id not in stored]
                if done:
                    await session.execute(
                        update(OutboxEvent).where(OutboxEvent.id.in_(done)).values(relayed_at=now)
                    )
                if left:
                    statement = update(OutboxEvent).where(OutboxEvent.id.in_(left))
                    await session.execute(statement.values(claimed_until=now + timedelta(seconds=1)))

    async def _stored(self, part: list[Envelope]) -> set[Any]:
        """Ids the adapter has now. One event that it refuses must not hold up the others: then each goes alone."""
        try:
            return set((await self._post(part)).event_ids)
        except Refused:
            if len(part) == 1:
                log.error("event_refused", event_id=str(part[0].event_id), type=part[0].type)
                return set()
        found: set[Any] = set()
        for one in part:
            found |= await self._stored([one])
        return found

    async def _post(self, events: list[Envelope]) -> Received:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self.tls)
            timeout = aiohttp.ClientTimeout(total=10, connect=2)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        body, headers = msgspec.json.encode(Delivery(events)), {"content-type": "application/json"}
        async with self._session.post(f"{self.url}/events", data=body, headers=headers) as response:
            answer = await response.read()
            if response.status in (413, 422):
                raise Refused(answer[:300])
            if response.status != 202:
                raise ConnectionError(f"adapter answered {response.status}: {answer[:300]!r}")
            return msgspec.json.decode(answer, type=Received)


class Refused(Exception):
    """The adapter will not have this delivery as it is; sending it again changes nothing."""


def parts(rows: list[OutboxEvent]) -> Iterator[list[Envelope]]:
    """Envelopes in order, in deliveries of at most `PART_BYTES` (a single larger one goes alone)."""
    part: list[Envelope] = []
    size = 0
    for one in map(envelope, rows):
        length = len(msgspec.json.encode(one))
        if part and size + length > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(one)
        size += length
    if part:
        yield part


def envelope(row: OutboxEvent) -> Envelope:
    """The row as it travels."""
    assert row.sealed_number is not None
    assert row.head is not None
    return Envelope(
        event_id=row.id, type=row.type, version=row.version, hospital_id=row.hospital_id, stream=row.stream,
        sequence=row.sequence, number=row.sealed_number, occurred_at=row.occurred_at, payload=row.payload,
        digest=row.digest.hex(), head=row.head.hex(),
    )  # fmt: skip


async def undelivered(db: Database) -> int:
    """How many events the adapter does not have yet; also the gauge."""
    async with unit_of_work(db) as session:
        query = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.relayed_at.is_(None))
        count = await session.scalar(query) or 0
    UNDELIVERED.set(count)
    return count
