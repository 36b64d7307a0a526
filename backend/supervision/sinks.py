"""Where sealed events go: a port with two sides, HTTP to the adapter (default) and NATS JetStream.

A sink answers with the ids that are stored for good on the other side; whatever it does not name is sent again. Both sides keep an
event once by its id, so that "again" is harmless.
"""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

import aiohttp
import msgspec

from contracts.envelope import FEED_STREAM, MESSAGE_ID, Received, feed_field, feed_subject
from foundation.crypto import Keyring
from foundation.logs import log

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

PART_BYTES = 800_000
"""Below the megabyte at which a receiver stops reading."""


class Sealed(NamedTuple):
    """A sealed event as it travels: `body` is its envelope in JSON."""

    id: UUID
    type: str
    body: bytes


class Sink(Protocol):
    """Where the relay delivers."""

    async def deliver(self, events: Sequence[Sealed]) -> set[UUID]:
        """Ids that are stored there now; raises `OSError` or `TimeoutError` when nothing is known."""

    async def close(self) -> None:
        """No more."""


@dataclass
class HttpSink:
    """`POST /events` of the adapter, over mutual TLS."""

    url: str
    tls: ssl.SSLContext
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def deliver(self, events: Sequence[Sealed]) -> set[UUID]:
        """In parts of a bearable size."""
        stored: set[UUID] = set()
        for part in parts(events):
            try:
                stored |= await self._stored(part)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if not stored:
                    raise
                log.warning("relay_cut_short", error=f"{type(error).__name__}: {error}")
                break
        return stored

    async def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()

    async def _stored(self, part: Sequence[Sealed]) -> set[UUID]:
        """Ids the adapter has now. One event that it refuses must not hold up the others: then each goes alone."""
        try:
            return set((await self._post(part)).event_ids)
        except Refused:
            if len(part) == 1:
                log.error("event_refused", event_id=str(part[0].id), type=part[0].type)
                return set()
        found: set[UUID] = set()
        for one in part:
            found |= await self._stored([one])
        return found

    async def _post(self, part: Sequence[Sealed]) -> Received:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self.tls)
            timeout = aiohttp.ClientTimeout(total=10, connect=2)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        body = b'{"events":[' + b",".join(one.body for one in part) + b"]}"
        headers = {"content-type": "application/json"}
        async with self._session.post(f"{self.url}/events", data=body, headers=headers) as response:
            answer = await response.read()
            if response.status in (413, 422):
                raise Refused(answer[:300])
            if response.status != 202:
                raise ConnectionError(f"adapter answered {response.status}: {answer[:300]!r}")
            return msgspec.json.decode(answer, type=Received)


class Refused(Exception):
    """The adapter will not have this delivery as it is; sending it again changes nothing."""


def parts(events: Sequence[Sealed]) -> Iterator[list[Sealed]]:
    """In order, in deliveries of at most `PART_BYTES` (a single larger one goes alone)."""
    part: list[Sealed] = []
    size = 0
    for one in events:
        if part and size + len(one.body) > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one.body)
    if part:
        yield part


@dataclass
class NatsSink:
    """A JetStream that keeps each event until the adapter has taken it. What lies there is encrypted with the feed's own key.

    `Nats-Msg-Id` is the event's id: within its window the stream drops what it has already; after that the adapter's inbox does.
    """

    url: str
    tls: ssl.SSLContext | None
    keys: Keyring
    hospital_id: UUID
    _client: "Client | None" = field(default=None, init=False)
    _stream: "JetStreamContext | None" = field(default=None, init=False)

    async def deliver(self, events: Sequence[Sealed]) -> set[UUID]:
        """Published in order, acknowledged in any."""
        stream = await self._connected()
        answers = await asyncio.gather(
            *(self._publish(stream, one) for one in events), return_exceptions=True
        )
        lost = [answer for answer in answers if isinstance(answer, BaseException)]
        if len(lost) == len(events):
            raise ConnectionError(f"JetStream took nothing: {type(lost[0]).__name__}")
        return {
            one.id
            for one, answer in zip(events, answers, strict=True)
            if not isinstance(answer, BaseException)
        }

    async def _publish(self, stream: "JetStreamContext", one: Sealed) -> Any:
        sealed = self.keys.seal(one.body, feed_field(one.id))
        return await stream.publish(
            feed_subject(self.hospital_id), sealed, timeout=5, headers={MESSAGE_ID: str(one.id)}
        )

    async def _connected(self) -> "JetStreamContext":
        if self._stream is not None and self._client is not None and self._client.is_connected:
            return self._stream
        import nats
        from nats.errors import Error
        from nats.js.api import RetentionPolicy, StorageType, StreamConfig

        await self.close()
        try:
            self._client = await nats.connect(
                self.url, tls=self.tls, allow_reconnect=False, connect_timeout=2, name="relay"
            )
            made = self._client.jetstream()
            config = StreamConfig(
                name=FEED_STREAM, subjects=[feed_subject(None)], retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE, duplicate_window=DUPLICATES_SECONDS,
            )  # fmt: skip
            await made.add_stream(config)
        except (Error, OSError, TimeoutError) as error:
            raise ConnectionError(f"JetStream: {type(error).__name__}: {error}") from error
        self._stream = made
        return made

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client, self._stream = self._client, None, None
        if client is not None:
            await client.close()


DUPLICATES_SECONDS = 600.0
