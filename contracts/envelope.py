"""How an event travels from the backend's outbox to the adapter: `POST /events` with a list of envelopes.

The adapter stores each `event_id` once and answers 202 with the ids it now has; anything else is sent again.
`digest` is SHA-256 over the canonical JSON of {event_id, stream, sequence, type, version, occurred_at, payload}; `head`
links it to the event numbered one less (`foundation.chain`), so a receiver can verify the chain without trusting us.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sealed event. `number` counts across the hospital from 1, `sequence` inside `stream` from 1; digests are hex."""

    event_id: UUID
    type: str
    version: int
    hospital_id: UUID
    stream: str
    sequence: int
    number: int
    occurred_at: datetime
    payload: dict[str, Any]
    digest: str
    head: str


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /events`: 1 to 500 envelopes in the order of `number`."""

    events: list[Envelope]


class Received(msgspec.Struct, frozen=True):
    """The 202 answer: these are stored for good."""

    event_ids: list[UUID]


FEED_STREAM = "FEED"
"""Name of the JetStream, where one carries the feed. Its messages are envelopes, each sealed with a key that only both ends have
(AES-256-GCM, associated data `feed_field`); `Nats-Msg-Id` is the event's id."""
MESSAGE_ID = "Nats-Msg-Id"


def feed_subject(hospital: UUID | None) -> str:
    """Subject of a hospital's events; without one the pattern of all."""
    return f"feed.{hospital or '*'}"


def feed_field(event_id: UUID) -> str:
    """What a sealed message belongs to: it opens under no other id."""
    return f"feed:{event_id}"
