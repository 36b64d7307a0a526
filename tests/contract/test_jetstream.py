"""The second way: the relay's sink, a real NATS server with JetStream, the adapter's pull consumer.

The server is Debian's `nats-server`; `make test` installs it where that may be done.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from nats.js.api import ConsumerConfig

from backend.supervision.sinks import NatsSink, Sealed
from contracts.envelope import FEED_STREAM, Envelope, feed_subject
from foundation.crypto import Keyring
from foundation.db.unit_of_work import Database
from foundation.errors import Unavailable
from foundation.feeding import NO_INDEX
from foundation.ids import new_id
from foundation.tls import client_context
from regulator_adapter.figures import figures
from regulator_adapter.inbox import Inbox
from regulator_adapter.organisation import Organisation
from regulator_adapter.stream_in import DURABLE, StreamIn
from standalone.certificates import Certificates
from tests.builders import events as b
from tests.contract.started import free_port, running
from tests.unit.regulator_adapter.conftest import bound, database_url, db, organisation, platform, postgres
from tests.unit.regulator_adapter.fake_platform import FakePlatform
from tests.unit.regulator_adapter.feed import Adapter, adapter_over
from tools import servers

__all__ = ["bound", "database_url", "db", "organisation", "platform", "postgres"]

LACKS = servers.lacks(servers.NATS)
pytestmark = [pytest.mark.anyio, pytest.mark.skipif(bool(LACKS), reason=LACKS or "-")]
KEYS = Keyring({"f1": b"f" * 32}, "f1", NO_INDEX)


@pytest.fixture
def server(tmp_path: Path, certificates: Certificates) -> Iterator[str]:
    """With mutual TLS and a store of its own; its address."""
    port, pair = free_port(), certificates.hospital["backend-api"]
    config = tmp_path / "nats.conf"
    config.write_text(
        f'port: {port}\nhost: "127.0.0.1"\njetstream {{ store_dir: "{tmp_path / "jetstream"}" }}\n'
        f'tls {{ cert_file: "{pair.certificate}", key_file: "{pair.key}", ca_file: "{certificates.hospital.root}", verify: true }}\n',
        encoding="utf-8",
    )
    program = str(servers.place(servers.NATS))
    with running([program, "-c", str(config)], port=port, folder=tmp_path, env={}, name="nats"):
        yield f"tls://127.0.0.1:{port}"


@pytest.fixture
async def adapter(db: Database, organisation: Organisation, platform: FakePlatform) -> AsyncIterator[Adapter]:
    async with adapter_over(db, organisation, platform) as made:
        yield made


def tls_of(certificates: Certificates, name: str) -> Any:
    pair = certificates.hospital[name]
    return client_context(pair.certificate, pair.key, certificates.hospital.root)


@pytest.fixture
async def sink(server: str, certificates: Certificates) -> AsyncIterator[NatsSink]:
    made = NatsSink(server, tls_of(certificates, "backend-worker"), KEYS, b.HOSPITAL_ID)
    yield made
    await made.close()


@asynccontextmanager
async def pulling(
    server: str, certificates: Certificates, adapter: Adapter, keys: Keyring = KEYS
) -> AsyncIterator[StreamIn]:
    """The adapter's consumer, at work for the block."""
    made = StreamIn(server, tls_of(certificates, "adapter"), keys, adapter.inbox, adapter.pump)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def sealed(envelopes: list[Envelope]) -> list[Sealed]:
    return [Sealed(one.event_id, one.type, msgspec.json.encode(one)) for one in envelopes]


async def arrived(adapter: Adapter, count: int) -> None:
    async with asyncio.timeout(30):
        while (await figures(adapter.db)).received < count:
            await asyncio.sleep(0.05)


async def waiting(sink: NatsSink) -> int:
    """Messages that lie in the stream."""
    return int((await (await sink._connected()).stream_info(FEED_STREAM)).state.messages)


async def test_what_is_published_arrives_once_and_leaves_the_stream(
    server: str, certificates: Certificates, sink: NatsSink, adapter: Adapter
) -> None:
    envelopes = adapter.feed.envelopes(b.one_of_each())

    stored = (await sink.deliver(sealed(envelopes))).stored
    async with pulling(server, certificates, adapter):
        await arrived(adapter, len(envelopes))
        async with asyncio.timeout(10):
            while await waiting(sink):
                await asyncio.sleep(0.05)
    await adapter.drain()

    assert stored == {one.event_id for one in envelopes}
    counted = await figures(adapter.db)
    assert (counted.received, counted.gaps, counted.chain_breaks, counted.missing) == (
        len(envelopes),
        0,
        0,
        0,
    )


async def test_the_same_event_again_is_dropped_by_its_message_id(sink: NatsSink) -> None:
    one = sealed(b.Feed().envelopes([("person:1", b.identity_verified())]))

    first, second = await sink.deliver(one), await sink.deliver(one)

    assert first.stored == second.stored == {one[0].id}
    assert await waiting(sink) == 1


async def test_what_lies_in_the_stream_names_nobody(sink: NatsSink, tmp_path: Path) -> None:
    await sink.deliver(sealed(b.Feed().envelopes([("person:1", b.identity_verified())])))

    stored = b"".join(path.read_bytes() for path in (tmp_path / "jetstream").rglob("*") if path.is_file())
    assert FEED_STREAM.encode() in stored
    for secret in (b.PATIENT.name, b.PATIENT.id_number, b.PATIENT.phone):
        assert secret.encode() not in stored


@dataclass(frozen=True)
class ShutAtFirst(Inbox):
    """An inbox whose database is away the first time."""

    tried: list[int] = field(default_factory=list)

    async def take(self, delivered: Sequence[Envelope]) -> list[UUID]:
        self.tried.append(len(delivered))
        if len(self.tried) == 1:
            raise Unavailable(retry_after=1)
        return await Inbox.take(self, delivered)


async def test_what_the_adapter_cannot_store_now_comes_again(
    server: str, certificates: Certificates, sink: NatsSink, adapter: Adapter
) -> None:
    inbox = ShutAtFirst(adapter.db, adapter.inbox.routing, adapter.inbox.timing)
    await sink.deliver(sealed(adapter.feed.envelopes([("person:1", b.identity_verified())])))

    async with pulling(server, certificates, replace(adapter, inbox=inbox)):
        await arrived(adapter, 1)

    assert inbox.tried == [1, 1]


async def test_a_message_of_another_key_is_not_believed_and_stays(
    server: str, certificates: Certificates, sink: NatsSink, adapter: Adapter
) -> None:
    strange, good = adapter.feed.envelopes(
        [("person:1", b.identity_verified()), ("person:2", b.identity_verified())]
    )
    other = NatsSink(
        server,
        tls_of(certificates, "backend-worker"),
        Keyring({"f1": b"x" * 32}, "f1", NO_INDEX),
        b.HOSPITAL_ID,
    )
    await other.deliver(sealed([strange]))
    await other.close()
    await sink.deliver(sealed([good]))

    async with pulling(server, certificates, adapter):
        await arrived(adapter, 1)

    assert (await figures(adapter.db)).gaps == 1
    assert await waiting(sink) == 1


async def test_messages_that_are_not_believed_do_not_close_the_door(
    server: str, certificates: Certificates, sink: NatsSink, adapter: Adapter
) -> None:
    """Also where the consumer was made with a limit that they fill."""
    *strange, good = adapter.feed.envelopes([(f"person:{at}", b.identity_verified()) for at in range(4)])
    stream = await sink._connected()
    narrow = ConsumerConfig(
        name=DURABLE, durable_name=DURABLE, filter_subject=feed_subject(b.HOSPITAL_ID), ack_wait=30, max_ack_pending=2
    )  # fmt: skip
    await stream.add_consumer(FEED_STREAM, narrow)
    other = NatsSink(
        server,
        tls_of(certificates, "backend-worker"),
        Keyring({"f1": b"x" * 32}, "f1", NO_INDEX),
        b.HOSPITAL_ID,
    )
    await other.deliver(sealed(strange))
    await other.close()
    await sink.deliver(sealed([good]))

    async with pulling(server, certificates, adapter):
        await arrived(adapter, 1)

    assert await waiting(sink) == 3


async def test_two_adapters_share_one_stream(
    server: str,
    certificates: Certificates,
    sink: NatsSink,
    adapter: Adapter,
    platform: FakePlatform,
    organisation: Organisation,
) -> None:
    envelopes = adapter.feed.envelopes([(f"person:{at}", b.identity_verified()) for at in range(300)])
    async with (
        adapter_over(adapter.db, organisation, platform) as other,
        pulling(server, certificates, adapter),
        pulling(server, certificates, other),
    ):
        for begin in range(0, 300, 50):
            await sink.deliver(sealed(envelopes[begin : begin + 50]))
        await arrived(adapter, 300)

    counted = await figures(adapter.db)
    assert (counted.received, counted.gaps, counted.chain_breaks) == (300, 0, 0)
    stream = await sink._connected()
    info = await stream.consumer_info(FEED_STREAM, DURABLE)
    assert info.config.durable_name == DURABLE
    assert info.config.filter_subject == feed_subject(b.HOSPITAL_ID)


async def test_an_event_too_large_for_the_stream_is_told_apart(sink: NatsSink) -> None:
    large, small = Sealed(new_id(), "a", b"x" * 1_100_000), Sealed(new_id(), "a", b"x")

    found = await sink.deliver([large, small])

    assert found.stored == {small.id}
    assert found.refused == {large.id: "too_large"}


async def test_a_server_that_is_not_there_is_a_refusal_that_the_relay_repeats(
    certificates: Certificates,
) -> None:
    nowhere = NatsSink(
        f"tls://127.0.0.1:{free_port()}", tls_of(certificates, "backend-worker"), KEYS, b.HOSPITAL_ID
    )

    with pytest.raises(OSError, match="JetStream"):
        async with asyncio.timeout(20):
            await nowhere.deliver(sealed(b.Feed().envelopes([("person:1", b.identity_verified())])))
