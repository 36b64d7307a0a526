"""What the gateway offers inward: `POST /his/v1/{operation}` over mTLS, one request and one response struct each.

The dialect of the hospital at hand (FHIR R4, …) ends inside the gateway. Every answer's subject is checked there: an
entry about another patient is an error (`wrong_subject`), never passed on. Each call names its `purpose`.
Problems: 400, 403 `not_listed`, 404 `patient_not_found`, 422 `invalid` (the request; `issues` names the fields), 422
`hospital_refused` (the hospital will not have a write: a case for a desk, not for a retry) or `place_taken` (somebody there has the
slot; nothing was written), 429 and 503 `busy` (`retry-after`),
502 `hospital_answer_unusable` (not understood) or `wrong_subject`, 503 `hospital_unreachable`, 504 `hospital_timeout`.
A write carries `request_id`: the same one again has no second effect, so 5xx may be tried again with it.
"""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from contracts.money import Fen

Purpose = Annotated[str, Meta(pattern="^(eligibility|treatment|write_back|schedule|payment)$")]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the hospital's resource id")]


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    OPERATION: ClassVar[str]
    REPLY: ClassVar[type[Any]]
    purpose: Purpose


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


class FindPatient(_Request, frozen=True):
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


class Visits(_Request, frozen=True):
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


class History(_Request, frozen=True):
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


class Slots(_Request, frozen=True):
    """Slots of a department from one day to another, both included; of one doctor when named. Nothing about patients."""

    OPERATION: ClassVar[str] = "slots"
    REPLY: ClassVar[type[Any]] = SlotsReply
    department_code: Annotated[str, Meta(min_length=1, max_length=20)]
    first: date
    last: date
    practitioner_code: Annotated[str, Meta(max_length=30)] = ""


class Acknowledged(msgspec.Struct, frozen=True):
    """The hospital has it under `reference`; `also` are further resources of the same write (one per drug, diagnosis).

    `left_out` names resource types that the hospital would not have beside the main one, which stands nevertheless.
    """

    reference: str
    at: datetime
    also: list[str] = []
    left_out: list[str] = []


class _WriteBack(_Request, frozen=True):
    REPLY: ClassVar[type[Any]] = Acknowledged
    request_id: UUID
    patient_id: str


class _Placed(_WriteBack, frozen=True):
    appointment_id: UUID
    department_code: str
    practitioner_code: str
    starts_at: datetime
    ends_at: datetime
    serial_number: int
    slot_id: Annotated[str, Meta(max_length=64)] = ""


class WriteRegistration(_Placed, frozen=True):
    """Step 1: the online registration.

    `slot_id` is the hospital's own slot that is taken for it, empty when the place is ours: `place_taken` when it is not free.
    """

    OPERATION: ClassVar[str] = "write-registration"


class WriteMove(_Placed, frozen=True):
    """The registered visit takes place at another time, perhaps with another doctor: all of it as it is now.

    Whatever slot of the hospital it had is free again; `slot_id` is taken, if any. A registration that is not there is made.
    """

    OPERATION: ClassVar[str] = "write-move"


class WriteCancellation(_WriteBack, frozen=True):
    """The registered visit will not take place: the planned visit is cancelled, the hospital's slot free again.

    Done when there is nothing (left) to cancel: `reference` may then be empty. `slot_id` as it was registered.
    """

    OPERATION: ClassVar[str] = "write-cancellation"
    appointment_id: UUID
    cancelled_at: datetime
    reason: Annotated[str, Meta(max_length=200)]
    slot_id: Annotated[str, Meta(max_length=64)] = ""


class WriteCharge(_WriteBack, frozen=True):
    """Step 2: the fee that was paid; `kind`: registration or prescription."""

    OPERATION: ClassVar[str] = "write-charge"
    appointment_id: UUID
    kind: str
    amount: Fen
    trade_number: str
    paid_at: datetime


class WriteRefund(_WriteBack, frozen=True):
    """Money of a charge that went back, proven by the provider's `refund_number`; `kind` is that of the charge."""

    OPERATION: ClassVar[str] = "write-refund"
    appointment_id: UUID
    kind: str
    amount: Fen
    trade_number: str
    refund_number: str
    refunded_at: datetime


class WriteRecord(_WriteBack, frozen=True):
    """Step 3: the signed record as a document (FHIR DocumentReference): canonical bytes in base64 and their digest."""

    OPERATION: ClassVar[str] = "write-record"
    appointment_id: UUID
    practitioner_code: str
    title: str
    content: bytes
    content_digest: str
    signed_at: datetime
    diagnoses: list[VisitDiagnosis]


class WriteDrug(msgspec.Struct, frozen=True):
    """One line of a prescription as the hospital stores it."""

    drug_code: str
    name: str
    dosage: str
    route_code: str
    days: int
    quantity: int
    pack_unit: str


class WritePrescription(_WriteBack, frozen=True):
    """Step 4: the approved prescription."""

    OPERATION: ClassVar[str] = "write-prescription"
    appointment_id: UUID
    practitioner_code: str
    pharmacist_code: str
    number: str
    drugs: list[WriteDrug]
    diagnoses: list[VisitDiagnosis]
    approved_at: datetime
    content: bytes
    content_digest: str


class WriteDispense(_WriteBack, frozen=True):
    """Step 5: handed over."""

    OPERATION: ClassVar[str] = "write-dispense"
    appointment_id: UUID
    number: str
    drugs: list[WriteDrug]
    handed_over_at: datetime
    waybill: str


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


class Charges(_Request, frozen=True):
    """What the hospital has from us between two moments (`until` not included), for the daily reconciliation. Names nobody."""

    OPERATION: ClassVar[str] = "charges"
    REPLY: ClassVar[type[Any]] = ChargesReply
    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)]


class OrderItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One examination; `code` is the hospital's. `site`: the specimen of a laboratory item, the body site of an imaging one."""

    code: Annotated[str, Meta(min_length=1, max_length=30)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    category: Annotated[str, Meta(pattern="^(laboratory|imaging)$")]
    site: Annotated[str, Meta(max_length=60)] = ""


class _Ordered(_WriteBack, frozen=True):
    appointment_id: UUID
    number: Annotated[str, Meta(pattern="^[A-Za-z0-9-]{1,18}$")]
    practitioner_code: Annotated[str, Meta(min_length=1, max_length=30)]
    items: Annotated[list[OrderItem], Meta(min_length=1, max_length=20)]


class WriteOrder(_Ordered, frozen=True):
    """Examinations that the doctor orders at the hospital, all of one category: that system's to carry out.

    `reference` and `also` are the system's own numbers, one an item, or ours where it names none.
    """

    OPERATION: ClassVar[str] = "write-order"
    ordered_at: Annotated[datetime, Meta(tz=True)]


class WriteOrderCancellation(_Ordered, frozen=True):
    """The order `number` will not be carried out; items as they were ordered. `hospital_refused` once it was begun."""

    OPERATION: ClassVar[str] = "write-order-cancellation"
    cancelled_at: Annotated[datetime, Meta(tz=True)]
    reason: Annotated[str, Meta(max_length=200)]


REQUESTS: tuple[type[_Request], ...] = (
    FindPatient, Visits, History, Slots, WriteRegistration, WriteCharge, WriteRecord, WritePrescription, WriteDispense,
    WriteRefund, Charges, WriteMove, WriteCancellation,
    WriteOrder, WriteOrderCancellation,
)  # fmt: skip

BY_OPERATION: dict[str, type[_Request]] = {kind.OPERATION: kind for kind in REQUESTS}

HisRequest = _Request
"""What every request is, for those who take any of them."""
