"""Where sealed events go: a port with two sides, HTTP to the adapter (default) and NATS JetStream.

A sink answers with the ids that are stored for good on the other side, and with those that it will not have as they are; whatever it
does not name is sent again. Both sides keep an event once by its id, so that "again" is harmless.
"""

import asyncio
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

import aiohttp
import msgspec

from backend.supervision.rules import REFUSED, TOO_LARGE
from contracts.envelope import FEED_STREAM, MESSAGE_ID, Received, feed_field, feed_subject
from foundation.crypto import Keyring
from foundation.logs import log

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

PART_BYTES = 800_000
"""Below the megabyte at which a receiver stops reading."""


class Sealed(NamedTuple):
    """A sealed event as it travels: `body` is its envelope in JSON. `alone`: it was refused before, and shares no delivery."""

    id: UUID
    type: str
    body: bytes
    alone: bool = False


@dataclass(frozen=True)
class Delivered:
    """What became of a batch: ids that are stored on the other side, and why others never will be as they are."""

    stored: set[UUID] = field(default_factory=set)
    refused: dict[UUID, str] = field(default_factory=dict)


class Sink(Protocol):
    """Where the relay delivers."""

    async def deliver(self, events: Sequence[Sealed]) -> Delivered:
        """What is known of them now; raises `OSError` or `TimeoutError` when nothing is."""

    async def close(self) -> None:
        """No more."""


@dataclass
class HttpSink:
    """`POST /events` of the adapter, over mutual TLS."""

    url: str
    tls: ssl.SSLContext
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def deliver(self, events: Sequence[Sealed]) -> Delivered:
        """In parts of a bearable size."""
        found = Delivered()
        for part in parts(events):
            try:
                await self._send(part, found)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if not (found.stored or found.refused):
                    raise
                log.warning("relay_cut_short", error=f"{type(error).__name__}: {error}")
                break
        return found

    async def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, part: Sequence[Sealed], found: Delivered) -> None:
        """One event that is refused must not hold up the others: halves go by themselves, down to the one that it is."""
        try:
            found.stored.update((await self._post(part)).event_ids)
        except Refused as error:
            if len(part) == 1:
                log.error("event_refused", event_id=str(part[0].id), type=part[0].type, code=error.reason)
                found.refused[part[0].id] = error.reason
                return
            middle = len(part) // 2
            await self._send(part[:middle], found)
            await self._send(part[middle:], found)

    async def _post(self, part: Sequence[Sealed]) -> Received:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self.tls)
            timeout = aiohttp.ClientTimeout(total=10, connect=2)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        body = b'{"events":[' + b",".join(one.body for one in part) + b"]}"
        headers = {"content-type": "application/json"}
        async with self._session.post(f"{self.url}/events", data=body, headers=headers) as response:
            answer = await response.read()
            if response.status in (400, 413, 422):
                raise Refused(TOO_LARGE if response.status == 413 else _code(answer))
            if response.status != 202:
                raise ConnectionError(f"adapter answered {response.status}: {answer[:300]!r}")
            return msgspec.json.decode(answer, type=Received)


class Refused(Exception):
    """The adapter will not have this delivery as it is; sending it again at once changes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Issue(msgspec.Struct):
    code: str = ""


class _Problem(msgspec.Struct):
    code: str = ""
    issues: list[_Issue] = []


_CODE = re.compile("[a-z_]{1,40}")


def _code(answer: bytes) -> str:
    """The code of the first issue, of the problem, or our own word."""
    try:
        problem = msgspec.json.decode(answer, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return REFUSED
    named = [*(issue.code for issue in problem.issues), problem.code]
    return next((code for code in named if _CODE.fullmatch(code)), REFUSED)


def parts(events: Sequence[Sealed]) -> Iterator[list[Sealed]]:
    """In order, in deliveries of at most `PART_BYTES` (a single larger one goes alone, as does who was refused before)."""
    part: list[Sealed] = []
    size = 0
    for one in events:
        if part and (one.alone or part[-1].alone or size + len(one.body) > PART_BYTES):
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

    async def deliver(self, events: Sequence[Sealed]) -> Delivered:
        """Published in order, acknowledged in any."""
        from nats.errors import MaxPayloadError

        stream = await self._connected()
        answers = await asyncio.gather(
            *(self._publish(stream, one) for one in events), return_exceptions=True
        )
        found, lost = Delivered(), None
        for one, answer in zip(events, answers, strict=True):
            if isinstance(answer, MaxPayloadError):
                found.refused[one.id] = TOO_LARGE
            elif isinstance(answer, BaseException):
                lost = answer
            else:
                found.stored.add(one.id)
        if lost is not None and not (found.stored or found.refused):
            raise ConnectionError(f"JetStream took nothing: {type(lost).__name__}")
        return found

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
            # The library would try for two minutes, and nothing is sealed meanwhile; the relay comes again by itself.
            self._client = await nats.connect(
                self.url, tls=self.tls, allow_reconnect=False, connect_timeout=2, name="relay", max_reconnect_attempts=1,
                reconnect_time_wait=0,
            )  # fmt: skip
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
