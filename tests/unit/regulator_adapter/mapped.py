"""Maps sample events without a database, as the mapper does with one."""

from typing import Any

import msgspec

from contracts import events
from contracts.envelope import Envelope
from foundation.crypto import Keyring
from foundation.errors import Issue
from regulator_adapter import profiles
from regulator_adapter.mapping import KINDS
from regulator_adapter.mapping.source import Place, Source
from regulator_adapter.organisation import Organisation
from regulator_adapter.profiles.checking import check
from regulator_adapter.routing import Routing, Stop, routing

RING = Keyring({"k1": b"1" * 32}, "k1", b"2" * 32)
ORGANISATION = Organisation("12310114425001234X", "UNIT0001", "上海市嘉定区示范医院")


def source(
    envelope: Envelope, earlier: list[Any] | None = None, table: Routing | None = None, ring: Keyring = RING
) -> Source[Any]:
    event = msgspec.convert(envelope.payload, events.BY_TYPE[envelope.type], strict=False)
    place = Place(
        envelope.event_id, envelope.type, envelope.stream, envelope.sequence, envelope.number, envelope.occurred_at,
        bytes.fromhex(envelope.digest), bytes.fromhex(envelope.head),
    )  # fmt: skip
    return Source(
        event, place, ORGANISATION, ring.index, earlier or [], (table or routing()).reported_by(envelope.type, event),
    )  # fmt: skip


def record(stop: Stop, given: Source[Any]) -> tuple[dict[str, Any], list[Issue]]:
    kind, profile = KINDS[stop.profile, stop.method], profiles.profile(stop.profile)
    return check(profile, profile.methods[stop.method], kind.build(given, stop.number))


def all_records(
    envelopes: list[Envelope], table: str = "city"
) -> list[tuple[Envelope, Stop, dict[str, Any], list[Issue]]]:
    """Every record of every event; the events of a stream see those before them."""
    known = routing(table)
    streams: dict[str, list[Any]] = {}
    found = []
    for envelope in envelopes:
        given = source(envelope, list(streams.setdefault(envelope.stream, [])), known)
        for stop in known.stops(envelope.type, given.event):
            found.append((envelope, stop, *record(stop, given)))
        streams[envelope.stream].append(given.event)
    return found
