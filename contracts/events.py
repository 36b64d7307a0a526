"""The supervised events (design.md, section 4): past tense, one struct each, each a snapshot that needs no look-up.

Person blocks carry plain personal data: payloads are encrypted in the outbox and in the adapter, and travel only over mTLS.
Money is in fen, times are UTC, dates are Shanghai calendar days.
"""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from contracts.blocks import Department, Diagnosis, Guardian, Money, Person, Practitioner, Visit
from contracts.money import Fen

# Blocks are given on, so that who speaks of events needs one module.
__all__ = ["Department", "Diagnosis", "Guardian", "Money", "Person", "Practitioner", "Visit"]


class _Event(msgspec.Struct, frozen=True):
    """Base of all events."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1


class IdentityVerified(_Event, frozen=True):
    """实名认证. `subject_kind`: patient, doctor, pharmacist; `result`: match, mismatch, not_found."""

    TYPE: ClassVar[str] = "identity.verified"
    person: Person
    subject_kind: str
    method: str
    result: str
    provider: str
    provider_serial: str
    verified_at: datetime


class EligibilityDecided(_Event, frozen=True):
    """May this person be seen again online for this diagnosis. `outcome`: eligible, doctor_decides, refused.

    `level`: how near the evidence is (code, subcategory, category, group, text, papers); `evidence_hash` is the SHA-256 of the
    hospital's resource id, `rule_sha256` that of the rule file of `rule_version`.
    """

    TYPE: ClassVar[str] = "eligibility.decided"
    decision_id: UUID
    person: Person
    diagnosis_code: str
    outcome: str
    reason: str
    rule_version: str
    evidence_visit_id: str
    evidence_code: str
    evidence_date: date | None
    decided_at: datetime
    level: str = ""
    rule_sha256: str = ""
    evidence_hash: str = ""


class AppointmentBooked(_Event, frozen=True):
    """预约挂号: the registration fee is paid, the place is the patient's. `booked_by`: self, guardian, proxy, counter."""

    TYPE: ClassVar[str] = "appointment.booked"
    visit: Visit
    booked_at: datetime
    booked_by: str
    payment: Money


class AppointmentCancelled(_Event, frozen=True):
    """A booked place given back; `by`: patient, practitioner, hospital, system."""

    TYPE: ClassVar[str] = "appointment.cancelled"
    visit: Visit
    cancelled_at: datetime
    by: str
    reason: str


class AppointmentMoved(_Event, frozen=True):
    """A booked place at another time or with another doctor (`visit`), the day of booking unchanged; `by` as above."""

    TYPE: ClassVar[str] = "appointment.moved"
    visit: Visit
    moved_at: datetime
    by: str
    reason: str
    from_starts_at: datetime


class RecordViewed(_Event, frozen=True):
    """健康档案浏览. `purpose` as in `contracts.his`; `archives`: EMR, LIS, PACS, RX …; `resource_hashes` name what was shown without its content.

    `viewer` is the practitioner who looked; when the patient or somebody in her name did, it is None and `seen_by` is that person.
    """

    TYPE: ClassVar[str] = "record.viewed"
    view_id: UUID
    visit: Visit
    viewer: Practitioner | None
    purpose: str
    archives: list[str]
    resource_hashes: list[str]
    viewed_at: datetime
    seen_by: Person | None = None


class EncounterStarted(_Event, frozen=True):
    """The doctor accepted and confirmed that it is a follow-up (诊疗办法 Art 16); `basis` is why, where she had to decide it.

    `guardian_present`: of a child under six, that the guardian and she herself, of the relevant specialty, are with it (Art 19).
    """

    TYPE: ClassVar[str] = "encounter.started"
    visit: Visit
    started_at: datetime
    follow_up_confirmed: bool
    original_diagnosis: Diagnosis
    diagnosis_confirmed_on: date | None
    basis: str = ""
    guardian_present: bool = False


class EncounterDeclined(_Event, frozen=True):
    """在线复诊 refused. `refuse_type` 1 = by the doctor, 2 = nobody accepted in time; `not_a_follow_up`: she judged so."""

    TYPE: ClassVar[str] = "encounter.declined"
    visit: Visit
    declined_at: datetime
    refuse_type: str
    reason: str
    original_diagnosis: Diagnosis
    not_a_follow_up: bool = False


class EncounterCompleted(_Event, frozen=True):
    """在线复诊 finished: what was found, what it cost, where the process data lies."""

    TYPE: ClassVar[str] = "encounter.completed"
    visit: Visit
    applied_at: datetime
    started_at: datetime
    completed_at: datetime
    disease_history: str
    original_diagnosis: Diagnosis
    diagnoses: list[Diagnosis]
    payment: Money
    process_data_reference: str


class EncounterDiscontinued(_Event, frozen=True):
    """Stopped and referred to the physical hospital (医院办法 Art 19)."""

    TYPE: ClassVar[str] = "encounter.discontinued"
    visit: Visit
    started_at: datetime
    discontinued_at: datetime
    reason: str
    original_diagnosis: Diagnosis


class ConsultationStarted(_Event, frozen=True):
    """健康咨询: the doctor took the question. What belongs to a consultation has no field for a diagnosis or a drug."""

    TYPE: ClassVar[str] = "consultation.started"
    visit: Visit
    started_at: datetime


class ConsultationDeclined(_Event, frozen=True):
    """健康咨询 refused; `refuse_type` as in `EncounterDeclined`."""

    TYPE: ClassVar[str] = "consultation.declined"
    visit: Visit
    question: str
    declined_at: datetime
    refuse_type: str
    reason: str


class ConsultationCompleted(_Event, frozen=True):
    """健康咨询 finished: question and answer, what it cost, where the process data lies."""

    TYPE: ClassVar[str] = "consultation.completed"
    visit: Visit
    applied_at: datetime
    started_at: datetime
    completed_at: datetime
    question: str
    answer: str
    payment: Money
    process_data_reference: str


class ConsultationDiscontinued(_Event, frozen=True):
    """Stopped: she should come to the hospital."""

    TYPE: ClassVar[str] = "consultation.discontinued"
    visit: Visit
    question: str
    started_at: datetime
    discontinued_at: datetime
    reason: str


class RecordSigned(_Event, frozen=True):
    """The medical record of the visit, signed."""

    TYPE: ClassVar[str] = "record.signed"
    visit: Visit
    record_id: UUID
    record_version: int
    chief_complaint: str
    present_history: str
    examination: str
    opinion: str
    diagnoses: list[Diagnosis]
    signed_at: datetime
    content_digest: str
    signature: str


class RecordAmended(RecordSigned, frozen=True):
    """A later version; `amendment_reason` says why."""

    TYPE: ClassVar[str] = "record.amended"
    amendment_reason: str = ""


class PrescriptionItem(msgspec.Struct, frozen=True):
    """One drug line. Quantities are decimal strings in `dose_unit`; `route_code` CV06.00.102, `form_code` CV08.50.002."""

    drug_code: str
    name: str
    strength: str
    form_code: str
    manufacturer: str
    dose: str
    dose_unit: str
    frequency_code: str
    frequency_name: str
    route_code: str
    route_name: str
    days: int
    quantity: int
    pack: str
    pack_unit: str
    unit_price: Fen
    amount: Fen
    otc: bool = False
    note: str = ""


class Prescription(msgspec.Struct, frozen=True):
    """The block every prescription event carries; `kind` 1 western or mixed, 2 patent, 3 herbal.

    `reason` is what the doctor wrote where a rule asked her why, such as for more than seven days (处方管理办法 Art 19).
    """

    prescription_id: UUID
    number: str
    lookup_id: str
    kind: str
    diagnoses: list[Diagnosis]
    items: list[PrescriptionItem]
    total: Fen
    allergies: str
    disease_history: str
    valid_from: datetime
    valid_until: datetime
    content_digest: str
    reason: str = ""


class PrescriptionSigned(_Event, frozen=True):
    """电子处方 signed by the doctor; waits for review."""

    TYPE: ClassVar[str] = "prescription.signed"
    visit: Visit
    prescription: Prescription
    signed_at: datetime
    signature: str


class PrescriptionApproved(_Event, frozen=True):
    """Reviewed and approved by a pharmacist: from here it may be paid (医院办法 Art 20)."""

    TYPE: ClassVar[str] = "prescription.approved"
    visit: Visit
    prescription: Prescription
    pharmacist: Practitioner
    approved_at: datetime
    signature: str
    rational: bool
    findings: list[str]


class PrescriptionReturned(_Event, frozen=True):
    """Sent back to the doctor with a reason."""

    TYPE: ClassVar[str] = "prescription.returned"
    visit: Visit
    prescription: Prescription
    pharmacist: Practitioner
    returned_at: datetime
    category: str
    reason: str


class PrescriptionCancelled(_Event, frozen=True):
    """Withdrawn by the doctor, or cancelled with the visit."""

    TYPE: ClassVar[str] = "prescription.cancelled"
    visit: Visit
    prescription: Prescription
    cancelled_at: datetime
    reason: str


class PrescriptionExpired(_Event, frozen=True):
    """Not paid within its days."""

    TYPE: ClassVar[str] = "prescription.expired"
    visit: Visit
    prescription: Prescription
    pharmacist: Practitioner | None
    expired_at: datetime


class DispenseCompleted(_Event, frozen=True):
    """Handed over or delivered. `delivery_type` 0 pick-up, 1 hospital logistics, 2 outside courier.

    `pharmacist` reviewed it (审核), the others put it together (调配), compared it (核对) and gave it out (发药).
    """

    TYPE: ClassVar[str] = "dispense.completed"
    visit: Visit
    prescription: Prescription
    pharmacist: Practitioner
    approved_at: datetime
    findings: list[str]
    payment: Money
    dispense_id: UUID
    delivery_type: str
    carrier: str
    carrier_person: str
    waybill: str
    delivery_fee: Fen
    handed_over_at: datetime
    completed_at: datetime
    receiver: str
    prepared_by: Practitioner | None = None
    prepared_at: datetime | None = None
    checked_by: Practitioner | None = None
    issued_by: Practitioner | None = None


class PaymentConfirmed(_Event, frozen=True):
    """Money arrived; proven by the provider's answer to our query."""

    TYPE: ClassVar[str] = "payment.confirmed"
    payment_id: UUID
    subject_kind: str
    subject_id: UUID
    person: Person
    payment: Money
    tenders: dict[str, int]
    paid_at: datetime


class RefundSucceeded(_Event, frozen=True):
    """Money went back; proven by the provider's receipt."""

    TYPE: ClassVar[str] = "refund.succeeded"
    refund_id: UUID
    payment_id: UUID
    subject_kind: str
    subject_id: UUID
    person: Person
    amount: Fen
    reason: str
    provider_refund_number: str
    succeeded_at: datetime


class EvaluationSubmitted(_Event, frozen=True):
    """The patient's rating: `satisfaction` 1–5, `score` 0–10."""

    TYPE: ClassVar[str] = "evaluation.submitted"
    evaluation_id: UUID
    visit: Visit
    satisfaction: int
    score: int
    text: str
    submitted_at: datetime


class ComplaintFiled(_Event, frozen=True):
    """A complaint or dispute (投诉、纠纷); the hospital has promised an answer by `answer_by`."""

    TYPE: ClassVar[str] = "complaint.filed"
    complaint_id: UUID
    person: Person
    visit: Visit | None
    text: str
    filed_at: datetime
    answer_by: datetime | None = None


class AdverseEventReported(_Event, frozen=True):
    """A medical or drug adverse event (医院办法 Art 22, 28)."""

    TYPE: ClassVar[str] = "adverse_event.reported"
    event_number: str
    person: Person
    visit: Visit | None
    description: str
    happened_at: datetime
    cause: str
    measures: str
    damage_degree: str
    improvements: str
    reported_by: Practitioner
    department: Department
    reported_at: datetime


class PractitionerChanged(_Event, frozen=True):
    """A doctor or pharmacist was filed, changed or suspended."""

    TYPE: ClassVar[str] = "practitioner.changed"
    practitioner: Practitioner
    kind: str
    departments: list[Department]
    filed_until: date | None
    active: bool
    changed_at: datetime


class CatalogueDrug(msgspec.Struct, frozen=True):
    """One drug as the catalogue has it; `drug_class` is Tianjin's therapeutic class."""

    code: str
    name: str
    trade_name: str
    drug_class: str
    strength: str
    form_code: str
    pack: str
    manufacturer: str
    national_code: str
    price: Fen
    valid: bool


class DrugCatalogueChanged(_Event, frozen=True):
    """Drugs added, changed or withdrawn."""

    TYPE: ClassVar[str] = "drug_catalogue.changed"
    catalogue_version: str
    drugs: list[CatalogueDrug]
    changed_at: datetime


ALL: tuple[type[_Event], ...] = (
    IdentityVerified, EligibilityDecided, AppointmentBooked, AppointmentMoved, AppointmentCancelled, RecordViewed,
    EncounterStarted, EncounterDeclined, EncounterCompleted, EncounterDiscontinued, ConsultationStarted,
    ConsultationDeclined, ConsultationCompleted, ConsultationDiscontinued, RecordSigned, RecordAmended,
    PrescriptionSigned,
    PrescriptionApproved, PrescriptionReturned, PrescriptionCancelled, PrescriptionExpired, DispenseCompleted,
    PaymentConfirmed, RefundSucceeded, EvaluationSubmitted, ComplaintFiled, AdverseEventReported, PractitionerChanged,
    DrugCatalogueChanged,
)  # fmt: skip

BY_TYPE: dict[str, type[_Event]] = {kind.TYPE: kind for kind in ALL}
