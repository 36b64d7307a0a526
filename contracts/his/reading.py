"""Who a patient is, and what the hospital has of her; its timetable and its charges."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from contracts.his.base import Hash, Request
from contracts.money import Fen


class Patient(msgspec.Struct, frozen=True):
    """A patient of the hospital; `patient_id` is opaque, merged numbers are already followed (`merged_ids` names them)."""

    patient_id: str
    name: str
    sex: str
    birth_date: date
    merged_ids: list[str] = []


class FindPatientReply(msgspec.Struct, frozen=True):
    """None when nobody has that number under that name."""

    patient: Patient | None


class FindPatient(Request, frozen=True):
    """By id number and name: both must fit."""

    OPERATION: ClassVar[str] = "find-patient"
    REPLY: ClassVar[type[Any]] = FindPatientReply
    id_number: Annotated[str, Meta(min_length=15, max_length=18)]
    name: Annotated[str, Meta(min_length=1, max_length=60)]


class VisitDiagnosis(msgspec.Struct, frozen=True):
    """`certainty`: confirmed or suspected; `rank` 1 is the main diagnosis; `code` may be empty when only text was written."""

    code: str
    name: str
    certainty: str
    rank: int


class HospitalVisit(msgspec.Struct, frozen=True):
    """`day` is the visit's day, or the day of discharge for an in-patient. `source`: offline, or online for our own.

    `kind`: outpatient, inpatient or emergency. `status` is FHIR's (finished, cancelled, in-progress …).
    """

    visit_id: str
    resource_hash: Hash
    kind: str
    day: date
    department_name: str
    doctor_name: str
    status: str
    diagnoses: list[VisitDiagnosis]
    source: str = "offline"


class VisitsReply(msgspec.Struct, frozen=True):
    """Newest first."""

    visits: list[HospitalVisit]


class Visits(Request, frozen=True):
    """Visits with their diagnoses since a day."""

    OPERATION: ClassVar[str] = "visits"
    REPLY: ClassVar[type[Any]] = VisitsReply
    patient_id: str
    since: date


class Allergy(msgspec.Struct, frozen=True):
    """`group` is the allergy group that the review engine knows (penicillin, cephalosporin, sulfonamide …)."""

    code: str
    name: str
    group: str = ""


class HistoryMedication(msgspec.Struct, frozen=True):
    """A drug the hospital prescribed."""

    name: str
    code: str
    dosage: str
    prescribed_on: date
    days: int
    resource_hash: Hash


class Report(msgspec.Struct, frozen=True):
    """A report; `category`: laboratory, imaging or other; values as the hospital printed them."""

    title: str
    category: str
    issued_on: date
    conclusion: str
    results: list["ReportValue"]
    resource_hash: Hash


class ReportValue(msgspec.Struct, frozen=True):
    """One line of a report; `flag` H, L or empty."""

    name: str
    value: str
    unit: str
    reference_range: str
    flag: str = ""


class HistoryReply(msgspec.Struct, frozen=True):
    """What a doctor sees beside the visit. Held for display only, never stored (design.md 5.1).

    `missing` names the categories of reports (laboratory, imaging) whose own system gave no answer: there may be more.
    """

    visits: list[HospitalVisit]
    allergies: list[Allergy]
    medications: list[HistoryMedication]
    reports: list[Report]
    missing: list[str] = []


class History(Request, frozen=True):
    """Visits, allergies, medications and reports since a day."""

    OPERATION: ClassVar[str] = "history"
    REPLY: ClassVar[type[Any]] = HistoryReply
    patient_id: str
    since: date


class HospitalSlot(msgspec.Struct, frozen=True):
    """One place of a doctor in the hospital's own schedule; `status` is FHIR's (free, busy …)."""

    slot_id: str
    practitioner_code: str
    department_code: str
    starts_at: datetime
    ends_at: datetime
    status: str


class SlotsReply(msgspec.Struct, frozen=True):
    """Earliest first."""

    slots: list[HospitalSlot]


class Slots(Request, frozen=True):
    """Slots of a department from one day to another, both included; of one doctor when named. Nothing about patients."""

    OPERATION: ClassVar[str] = "slots"
    REPLY: ClassVar[type[Any]] = SlotsReply
    department_code: Annotated[str, Meta(min_length=1, max_length=20)]
    first: date
    last: date
    practitioner_code: Annotated[str, Meta(max_length=30)] = ""


class HospitalCharge(msgspec.Struct, frozen=True):
    """One charge or refund that the hospital has from us. `kind`: registration, prescription or refund; `number` the provider's."""

    reference: str
    kind: str
    number: str
    amount: Fen
    at: datetime


class ChargesReply(msgspec.Struct, frozen=True):
    """In order of time. `complete` is False when there are more than fit: ask for a shorter time, nothing is given then."""

    charges: list[HospitalCharge]
    complete: bool = True


class Charges(Request, frozen=True):
    """What the hospital has from us between two moments (`until` not included), for the daily reconciliation. Names nobody."""

    OPERATION: ClassVar[str] = "charges"
    REPLY: ClassVar[type[Any]] = ChargesReply
    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)]
