"""Structs of the schedule routes."""

from datetime import datetime
from uuid import UUID

import msgspec

from contracts.money import Fen


class SlotQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters; `day` as 2026-11-22 in Shanghai."""

    department: str | None = None
    practitioner: UUID | None = None
    day: str | None = None


class SlotView(msgspec.Struct, frozen=True):
    """A segment that is not over. `remaining` is what everybody can have now, `kept_follow_up` what more the doctor's own patients.

    It can be booked when `on_sale`; otherwise `why` says why not: `not_released` (until `released_at`) or `slot_stale`.
    `fhir_status` is free, busy or busy-unavailable.
    """

    id: UUID
    practitioner_id: UUID
    practitioner_name: str
    practitioner_title: str
    department_code: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    remaining: int
    price: Fen
    fhir_status: str
    mode: str
    kept_follow_up: int
    on_sale: bool
    why: str
    released_at: datetime | None
