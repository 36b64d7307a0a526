"""Courier company: order a parcel, ask where it is."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from backend.outside.signed import SignedClient
from foundation.errors import Conflict, Unavailable


class Party(msgspec.Struct, frozen=True):
    """Sender or receiver."""

    name: str
    phone: str
    address: str


class Goods(msgspec.Struct, frozen=True):
    """What is in the parcel, without naming a drug: the courier need not know."""

    name: str
    quantity: int


class ParcelEvent(msgspec.Struct, frozen=True):
    """One line of the parcel's way."""

    sequence: int
    status: str
    at: datetime
    place: str = ""
    note: str = ""


class Shipment(msgspec.Struct, frozen=True):
    """The parcel as the courier knows it."""

    waybill: str
    order_number: str
    status: str
    events: list[ParcelEvent] = []


@dataclass(frozen=True)
class Courier:
    """Client of the courier company."""

    client: SignedClient

    async def ship(
        self, order_number: str, sender: Party, receiver: Party, goods: list[Goods], callback_url: str
    ) -> Shipment:
        """Order a parcel; the same order number twice gives the same waybill."""
        body = {
            "order_number": order_number,
            "sender": sender,
            "receiver": receiver,
            "goods": goods,
            "callback_url": callback_url,
        }
        response = await self.client.call("POST", "/v1/shipments", body)
        if response.status_code == 409:
            raise Conflict("该订单已用其他内容下过配送单", code="courier_order_differs")
        if response.status_code not in (200, 201):
            raise Unavailable("配送公司未接受订单", code="courier_refused")
        return self.client.read(response, Shipment)

    async def track(self, waybill: str) -> Shipment:
        """The truth about a parcel: callbacks are hints."""
        response = await self.client.call("GET", f"/v1/shipments/{waybill}")
        if response.status_code != 200:
            raise Unavailable("配送公司查不到该运单", code="courier_unknown_waybill")
        return self.client.read(response, Shipment)
