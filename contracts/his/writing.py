"""What the internet hospital writes back, step by step, and what it orders."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from contracts.his.base import FeeNumber, WriteBack
from contracts.his.reading import VisitDiagnosis
from contracts.money import Fen


class _Placed(WriteBack, frozen=True):
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


class WriteCancellation(WriteBack, frozen=True):
    """The registered visit will not take place: the planned visit is cancelled, the hospital's slot free again.

    Done when there is nothing (left) to cancel: `reference` may then be empty. `slot_id` as it was registered.
    """

    OPERATION: ClassVar[str] = "write-cancellation"
    appointment_id: UUID
    cancelled_at: datetime
    reason: Annotated[str, Meta(max_length=200)]
    slot_id: Annotated[str, Meta(max_length=64)] = ""


class WriteCharge(WriteBack, frozen=True):
    """Step 2: the fee that was paid; `kind`: registration or prescription, `fee_number` as it was locked."""

    OPERATION: ClassVar[str] = "write-charge"
    appointment_id: UUID
    kind: str
    amount: Fen
    trade_number: str
    paid_at: datetime
    fee_number: FeeNumber = ""


class WriteRefund(WriteBack, frozen=True):
    """Money of a charge that went back, proven by the provider's `refund_number`; `kind` is that of the charge."""

    OPERATION: ClassVar[str] = "write-refund"
    appointment_id: UUID
    kind: str
    amount: Fen
    trade_number: str
    refund_number: str
    refunded_at: datetime


class WriteRecord(WriteBack, frozen=True):
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


class WritePrescription(WriteBack, frozen=True):
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


class WriteDispense(WriteBack, frozen=True):
    """Step 5: handed over."""

    OPERATION: ClassVar[str] = "write-dispense"
    appointment_id: UUID
    number: str
    drugs: list[WriteDrug]
    handed_over_at: datetime
    waybill: str


class OrderItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One examination; `code` is the hospital's. `site`: the specimen of a laboratory item, the body site of an imaging one."""

    code: Annotated[str, Meta(min_length=1, max_length=30)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    category: Annotated[str, Meta(pattern="^(laboratory|imaging)$")]
    site: Annotated[str, Meta(max_length=60)] = ""


class _Ordered(WriteBack, frozen=True):
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
