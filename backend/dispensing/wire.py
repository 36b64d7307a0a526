"""Structs of the order routes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.dispensing.model import Dispense, ParcelLine
from backend.dispensing.rules import LABELS
from backend.dispensing.states import DISPENSE
from contracts.money import Fen


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


class DispenseView(msgspec.Struct, frozen=True):
    """An order with the parcel's way; an unknown status is shown as it came, never as delivered."""

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


class DeclineRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it cannot be dispensed."""

    reason: Annotated[str, Meta(min_length=2, max_length=200)]


class JudgeReturn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why drugs came back; `note` is what was found."""

    cause: Annotated[str, Meta(pattern="^(delivery|receiver|quality)$")]
    note: Annotated[str, Meta(min_length=4, max_length=300)]


def dispense_view(row: Dispense, way: Sequence[ParcelLine]) -> DispenseView:
    """From the rows."""
    return DispenseView(
        id=row.id, prescription_id=row.prescription_id, state=row.state, state_label=DISPENSE.labels[row.state],
        method=row.method, receiver_name=row.receiver.name, address=row.receiver.address,
        delivery_fee=row.delivery_fee, paid_at=row.paid_at, handed_over_at=row.handed_over_at, waybill=row.waybill,
        parcel_status=row.parcel_status,
        parcel_label=LABELS.get(row.parcel_status, f"状态未知（{row.parcel_status}）") if row.parcel_status else "",
        way=[WayLine(line.status, LABELS.get(line.status, line.status), line.place, line.note, line.at) for line in way],
        ended_at=row.ended_at, return_cause=row.return_cause,
    )  # fmt: skip
