"""Structs of the visit routes."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from contracts.events import Diagnosis

Reason = Annotated[str, Meta(min_length=2, max_length=300)]


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The doctor's own confirmation, for a follow-up; `guardian_present` for children under six.

    `basis` is why she takes it for one: needed where the system could not decide.
    """

    follow_up_confirmed: bool = False
    guardian_present: bool = False
    basis: Annotated[str, Meta(max_length=300)] = ""


class Decline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why not; `not_a_follow_up` says that the conditions of a follow-up are not met."""

    reason: Reason
    not_a_follow_up: bool = False


class Refer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the patient has to come to the hospital, and whether advice was given before: the refund follows that.

    Without the doctor's word it is what `AdviceView.seems` says.
    """

    reason: Reason
    advice_given: bool | None = None


class AdviceView(msgspec.Struct, frozen=True):
    """Whether it seems that advice was given, and why: something of substance was `written`, or minutes of video together."""

    seems: bool
    written: bool
    video_minutes: int


class Diagnoses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of the diagnoses the doctor confirms."""

    codes: Annotated[list[Annotated[str, Meta(min_length=3, max_length=20)]], Meta(max_length=20)]


class EncounterView(msgspec.Struct, frozen=True):
    """A visit, for its patient and its doctor. `talk_until` is the end of the talk as it stands now, `clock_stands` that a pause holds it.

    `kind`: follow_up, which alone has diagnoses, or consultation, which has an answer.
    """

    id: UUID
    appointment_id: UUID
    state: str
    state_label: str
    mode: str
    patient_name: str
    patient_sex: str
    patient_age: int
    under_six: bool
    practitioner_name: str
    practitioner_title: str
    department_name: str
    starts_at: datetime
    serial_number: int
    complaint: str
    waiting_since: datetime | None
    acceptance_deadline: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    recording_consent: str
    appointment_state: str
    talk_until: datetime | None
    clock_stands: bool
    extensions_left: int
    kind: str
    original_diagnosis: Diagnosis | None = None
    original_day: date | None = None
    doctor_decides: bool = False
    diagnoses: list[Diagnosis] = []
    answer: str = ""
