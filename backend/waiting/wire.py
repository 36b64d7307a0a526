"""Structs of the waiting room."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec


class ProposalView(msgspec.Struct, frozen=True):
    """A colleague whom the duty desk proposes."""

    id: UUID
    practitioner_name: str
    practitioner_title: str


class WaitingView(msgspec.Struct, frozen=True):
    """Where a patient stands, as of `as_of`; the wait is a range of minutes that four of five waits end within.

    `measured` visits made the estimate (0: a default). `clock_left_minutes` runs only while `clock_running`; it is None before
    check-in. `late` means that she may choose `refund` or `keep`.
    """

    appointment_id: UUID
    state: str
    encounter_state: str
    ahead: int
    low_minutes: int
    high_minutes: int
    measured: int
    words: str
    doctor_busy: bool
    clock_running: bool
    clock_left_minutes: int | None
    waited_minutes: int
    late: bool
    place_kept: bool
    proposal: ProposalView | None
    check_in_from: datetime
    check_in_until: datetime
    as_of: datetime


class LateChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money back, or the place kept."""

    choice: Literal["refund", "keep"]


class ProposeHandover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A colleague filed for the department."""

    practitioner_id: UUID


class HandoverView(msgspec.Struct, frozen=True):
    """A proposal and what became of it."""

    id: UUID
    encounter_id: UUID
    from_practitioner_id: UUID
    to_practitioner_id: UUID
    state: str
    state_label: str


class WaitingVisit(msgspec.Struct, frozen=True):
    """Somebody who waits, for the duty desk; her name is masked."""

    encounter_id: UUID
    appointment_id: UUID
    patient_name: str
    practitioner_id: UUID
    practitioner_name: str
    department_name: str
    starts_at: datetime
    waited_minutes: int
    clock_left_minutes: int
    clock_running: bool
    doctor_busy: bool
    late: bool
    place_kept: bool
    proposal: ProposalView | None
