"""What the duty desk sees."""

from datetime import datetime
from uuid import UUID

import msgspec


class Told(msgspec.Struct, frozen=True):
    """One rung: who was told over which channel, and what became of it (`outcome` as in `notification.Delivery`, or pending)."""

    rung: str
    recipient: str
    at: datetime
    bundled: int
    channel: str
    outcome: str
    detail: str


class EscalationView(msgspec.Struct, frozen=True):
    """One thing that waits for a doctor."""

    id: UUID
    kind: str
    subject_id: UUID
    about: str
    practitioner_name: str
    state: str
    state_label: str
    raised_at: datetime
    seen_at: datetime | None
    closed_at: datetime | None
    close_reason: str
    told: list[Told]
