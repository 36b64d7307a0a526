"""Structs of the booking routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.appointment.model import Appointment
from backend.appointment.states import APPOINTMENT


class BookRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a slot for a person, resting on an eligibility decision of today."""

    person_id: UUID
    slot_id: UUID
    eligibility_id: UUID
    complaint: Annotated[str, Meta(max_length=500)] = ""
    mode: Annotated[str, Meta(pattern="^(video|text)$")] = "video"


class AppointmentView(msgspec.Struct, frozen=True):
    """An appointment as the patient sees it; `ahead` people are seen before, `wait_minutes` is an estimate.

    The hospital moved it away from `moved_from`; until `answer_by` she may accept that, or take her money.
    """

    id: UUID
    state: str
    state_label: str
    person_id: UUID
    person_name: str
    practitioner_id: UUID
    practitioner_name: str
    practitioner_title: str
    department_name: str
    starts_at: datetime
    ends_at: datetime
    serial_number: int
    mode: str
    complaint: str
    hold_expires_at: datetime
    payment_id: UUID | None
    encounter_id: UUID | None
    ahead: int
    wait_minutes: int
    cancel_reason: str
    moved_from: datetime | None = None
    answer_by: datetime | None = None
    kind: str = "follow_up"


MINUTES_PER_VISIT = 10


def appointment_view(
    row: Appointment, *, person_name: str, practitioner_name: str, practitioner_title: str, department_name: str,
    payment_id: UUID | None, ahead: int,
) -> AppointmentView:  # fmt: skip
    """From the rows."""
    return AppointmentView(
        id=row.id, state=row.state, state_label=APPOINTMENT.labels[row.state], person_id=row.person_id,
        person_name=person_name, practitioner_id=row.practitioner_id, practitioner_name=practitioner_name,
        practitioner_title=practitioner_title, department_name=department_name, starts_at=row.starts_at,
        ends_at=row.ends_at, serial_number=row.serial_number, mode=row.mode, complaint=row.complaint,
        hold_expires_at=row.hold_expires_at, payment_id=payment_id, encounter_id=row.encounter_id,
        ahead=ahead, wait_minutes=ahead * MINUTES_PER_VISIT, cancel_reason=row.cancel_reason, moved_from=row.moved_from,
        answer_by=row.answer_by, kind=row.kind,
    )  # fmt: skip
