"""Structs of tickets, standings and pauses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Reason = Annotated[str, Meta(min_length=2, max_length=200)]


class TicketRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in one of some slots of one doctor's day, best first, for a person, resting on today's eligibility decision."""

    person_id: UUID
    slot_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=10)]
    eligibility_id: UUID
    complaint: Annotated[str, Meta(max_length=500)] = ""
    mode: Annotated[str, Meta(pattern="^(video|text)$")] = "video"


class TicketView(msgspec.Struct, frozen=True):
    """How a ticket stands.

    `state`: queued, drawing, won, lost, refused, gone (it is lost: ask again), direct (no draw: book the usual way).
    `check_after_ms` says when asking again makes sense.
    """

    id: str
    state: str
    closes_at: datetime | None = None
    tickets: int = 0
    check_after_ms: int = 0
    appointment_id: UUID | None = None
    code: str = ""
    detail: str = ""


class StandingView(msgspec.Struct, frozen=True):
    """No-shows that count towards a pause, how many make one, and until when booking is paused."""

    absences: int
    absences_allowed: int
    paused_until: datetime | None


class PauseView(msgspec.Struct, frozen=True):
    """A pause as staff see it; the name is masked."""

    id: UUID
    person_id: UUID
    person_name: str
    starts_at: datetime
    ends_at: datetime


class LiftPause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the person may book again."""

    reason: Reason
