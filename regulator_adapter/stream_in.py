"""The other way in: events from a JetStream, by a durable pull consumer, into the same inbox.

A message is acknowledged when its event is stored, never before; what cannot be stored now comes again. Several adapters may pull,
each message goes to one of them. Order does not depend on it: the mapper waits for the events before.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from contracts.envelope import FEED_STREAM, MESSAGE_ID, Envelope, feed_field, feed_subject
from foundation.crypto import CannotOpenError, Keyring
from foundation.db.base import hospital_id
from foundation.errors import Invalid
from foundation.logs import log
from regulator_adapter.inbox import Inbox
from regulator_adapter.pump import Pump

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

DURABLE = "regulator_adapter"
BATCH = 200
ACK_SECONDS = 30.0
AGAIN = 1.0
REFUSED_AGAIN, REFUSED_LONGEST = 60.0, 1800.0
"""What is refused is a gap that people see; it stays in the stream until somebody has found out why, and comes ever more rarely."""


@dataclass
class StreamIn:
    """Pulls until cancelled."""

    url: str
    tls: ssl.SSLContext | None
    keys: Keyring
    inbox: Inbox
    pump: Pump

    async def run(self) -> None:
        """Connects again whenever the server went away."""
        while True:
            try:
                await self._pull()
            except Exception as error:
                log.warning("stream_lost", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(AGAIN)

    async def _pull(self) -> None:
        import nats

        client = await nats.connect(
            self.url, tls=self.tls, allow_reconnect=False, connect_timeout=2, name="regulator_adapter"
        )
        try:
            await self._take_from(client.jetstream())
        finally:
            await client.close()

    async def _take_from(self, stream: "JetStreamContext") -> None:
        from nats.errors import TimeoutError as NothingThere
        from nats.js.api import ConsumerConfig

        # No limit of what is out: messages that were refused count among it until they come again, and would close the door.
        config = ConsumerConfig(
            name=DURABLE, durable_name=DURABLE, filter_subject=feed_subject(hospital_id()), ack_wait=ACK_SECONDS, max_ack_pending=-1
        )  # fmt: skip
        await stream.add_consumer(FEED_STREAM, config)
        subscription = await stream.pull_subscribe_bind(durable=DURABLE, stream=FEED_STREAM)
        while True:
            with suppress(NothingThere):
                await self.take(await subscription.fetch(BATCH, timeout=5))

    async def take(self, messages: Sequence["Msg"]) -> None:
        """Store what they hold and acknowledge it; what is not what it says is left in the stream."""
        found: list[tuple[Msg, Envelope]] = []
        for message in messages:
            envelope = self._opened(message)
            if envelope is None:
                await message.nak(delay=_refused_for(message))
            else:
                found.append((message, envelope))
        if found:
            await self._store(found)

    async def _store(self, found: "list[tuple[Msg, Envelope]]") -> None:
        try:
            await self.inbox.take([envelope for _, envelope in found])
        except Invalid:
            if len(found) > 1:  # one that is refused must not hold up the others
                middle = len(found) // 2
                await self._store(found[:middle])
                await self._store(found[middle:])
                return
            log.error("event_refused", event_id=str(found[0][1].event_id), type=found[0][1].type)
            await found[0][0].nak(delay=_refused_for(found[0][0]))
            return
        except Exception:
            for message, _ in found:
                await message.nak(delay=AGAIN)
            raise
        self.pump.arrived.set()
        for message, _ in found:
            await message.ack()

    def _opened(self, message: "Msg") -> Envelope | None:
        name = (message.headers or {}).get(MESSAGE_ID, "")
        try:
            plain = self.keys.open(message.data, feed_field(UUID(name)))
            return msgspec.json.decode(plain, type=Envelope)
        except (ValueError, CannotOpenError, msgspec.DecodeError) as error:
            log.error("message_unreadable", message_id=name[:40], error=type(error).__name__)
            return None


def _refused_for(message: "Msg") -> float:
    """A minute, two, four … half an hour."""
    doubled = min(message.metadata.num_delivered - 1, 10)
    return min(REFUSED_AGAIN * (1 << doubled), REFUSED_LONGEST)
