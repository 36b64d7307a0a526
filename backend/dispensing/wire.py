"""Structs of the order routes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.desk.rendering import mask_address
from backend.dispensing.model import Dispense, ParcelLine
from backend.dispensing.rules import CHECKS, LABELS
from backend.dispensing.states import DISPENSE
from contracts.money import Fen
from foundation.masking import mask_name


class ReceiverInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who gets the parcel."""

    name: Annotated[str, Meta(max_length=30)]
    phone: Annotated[str, Meta(max_length=20)]
    address: Annotated[str, Meta(max_length=120)] = ""


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`method`: courier (to an address) or pickup (at the hospital)."""

    method: Annotated[str, Meta(pattern="^(courier|pickup)$")]
    receiver: ReceiverInput


class Ordered(msgspec.Struct, frozen=True):
    """The order and its bill."""

    dispense_id: UUID
    payment_id: UUID
    amount: Fen


class WayLine(msgspec.Struct, frozen=True):
    """One line of the parcel's way."""

    status: str
    label: str
    place: str
    note: str
    at: datetime


class Dispensed(msgspec.Struct, frozen=True):
    """发药记录: what the signed sheet leaves open, because it happened after it was signed (docs/verifying.md).

    `paid_as` is 费别; `checks` are the comparisons that were made, in words. What has not happened yet is empty.
    """

    paid_as: str
    prepared_by: str
    checked_by: str
    checks: list[str]


class DispenseView(msgspec.Struct, frozen=True):
    """An order with the parcel's way; an unknown status is shown as it came, never as delivered.

    The pharmacy sees receiver and address masked: the courier alone needs them. `pickup_code` is for the patient's eyes.
    """

    id: UUID
    prescription_id: UUID
    state: str
    state_label: str
    method: str
    receiver_name: str
    address: str
    delivery_fee: Fen
    paid_at: datetime | None
    handed_over_at: datetime | None
    waybill: str
    parcel_status: str
    parcel_label: str
    way: list[WayLine]
    ended_at: datetime | None
    return_cause: str
    prepared_at: datetime | None
    pickup_code: str
    quarantined_at: datetime | None
    record: Dispensed | None = None


class DeclineRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it cannot be dispensed."""

    reason: Annotated[str, Meta(min_length=2, max_length=200)]


class JudgeReturn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why drugs came back and what becomes of them; `note` is what was found."""

    cause: Annotated[str, Meta(pattern="^(delivery|receiver|quality)$")]
    note: Annotated[str, Meta(min_length=4, max_length=300)]
    disposal: Annotated[str, Meta(pattern="^(destroyed|supplier|not_back)$")]


class TraceCodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of the packs of one line (from 0), separated by blanks or line ends, instead of those recorded before."""

    line: Annotated[int, Meta(ge=0, le=19)]
    codes: Annotated[str, Meta(max_length=8000)] = ""


class TraceCodeView(msgspec.Struct, frozen=True):
    """One pack."""

    line: int
    drug_code: str
    code: str


class Prepared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Packed; why packs have no trace code, where they have none."""

    no_code_reason: Annotated[str, Meta(max_length=200)] = ""


class HandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The four checks with their ten comparisons (四查十对), each of which must be made; who picks up shows her code.

    `without_code`: how she was recognised who does not have it.
    """

    department: bool = False
    patient: bool = False
    age: bool = False
    drug: bool = False
    form: bool = False
    strength: bool = False
    quantity: bool = False
    appearance: bool = False
    usage: bool = False
    diagnosis: bool = False
    pickup_code: Annotated[str, Meta(max_length=12)] = ""
    without_code: Annotated[str, Meta(max_length=200)] = ""

    @property
    def done(self) -> list[str]:
        """Keys of what was compared."""
        return [key for key in CHECKS if getattr(self, key)]


class Ways(msgspec.Struct, frozen=True):
    """Whether a courier may bring it, and why not; whether it may be ordered here at all, to be picked up."""

    courier: bool
    why_not: str
    pickup: bool = True


def dispensed(row: Dispense, names: Mapping[UUID, str], tenders: Mapping[str, int]) -> Dispensed:
    """From the row, names of practitioners by id and what was paid by whom (fen)."""
    insured = any(amount for tender, amount in tenders.items() if tender.startswith("ins_"))
    return Dispensed(
        paid_as="" if row.paid_at is None else "医保" if insured else "自费",
        prepared_by=names[row.prepared_by] if row.prepared_by else "",
        checked_by=names[row.pharmacist_id] if row.pharmacist_id and row.handed_over_at else "",
        checks=[CHECKS[key].words for key in row.checks if key in CHECKS],
    )


def dispense_view(
    row: Dispense, way: Sequence[ParcelLine], *, own: bool = False, record: Dispensed | None = None
) -> DispenseView:
    """From the rows; `own` for the patient's accounts."""
    receiver = row.receiver
    return DispenseView(
        id=row.id, prescription_id=row.prescription_id, state=row.state, state_label=DISPENSE.labels[row.state],
        method=row.method, receiver_name=receiver.name if own else mask_name(receiver.name),
        address=receiver.address if own else mask_address(receiver.address),
        delivery_fee=row.delivery_fee, paid_at=row.paid_at, handed_over_at=row.handed_over_at, waybill=row.waybill,
        parcel_status=row.parcel_status,
        parcel_label=LABELS.get(row.parcel_status, f"状态未知（{row.parcel_status}）") if row.parcel_status else "",
        way=[WayLine(line.status, LABELS.get(line.status, line.status), line.place, line.note, line.at) for line in way],
        ended_at=row.ended_at, return_cause=row.return_cause, prepared_at=row.prepared_at,
        pickup_code=(row.pickup_code or "") if own else "", quarantined_at=row.quarantined_at,
        record=record,
    )  # fmt: skip
