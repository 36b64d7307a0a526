"""The hospital's shelf and price list, and fees that its window leaves alone for a while."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from contracts.his.base import FeeNumber, Request, WriteBack
from contracts.money import Fen


class DrugStock(msgspec.Struct, frozen=True):
    """What the hospital's pharmacy has of one drug, in packs (`unit` describes one), as of `at`. Below nothing is nothing."""

    drug_code: str
    quantity: Annotated[int, Meta(ge=0)]
    unit: str
    at: datetime


class StockReply(msgspec.Struct, frozen=True):
    """By code; a drug that the hospital does not keep, or does not count, is not in it."""

    drugs: list[DrugStock]


ItemCode = Annotated[str, Meta(min_length=1, max_length=30, pattern="^[A-Za-z0-9._-]+$")]
Codes = Annotated[list[ItemCode], Meta(min_length=1, max_length=200)]


class Stock(Request, frozen=True):
    """Packs of these drugs on the hospital's shelf. Nothing about patients."""

    OPERATION: ClassVar[str] = "stock"
    REPLY: ClassVar[type[Any]] = StockReply
    drug_codes: Codes


class ItemPrice(msgspec.Struct, frozen=True):
    """What the hospital's own list asks for one pack of a drug, or for one service; `since` is the day it holds from."""

    code: str
    name: str
    amount: Fen
    since: date | None = None


class PricesReply(msgspec.Struct, frozen=True):
    """By code; what is not on the hospital's list is not in it."""

    prices: list[ItemPrice]


class Prices(Request, frozen=True):
    """Prices of drugs and services (`registration` kinds) by code. Nothing about patients."""

    OPERATION: ClassVar[str] = "prices"
    REPLY: ClassVar[type[Any]] = PricesReply
    codes: Codes


class FeeLock(msgspec.Struct, frozen=True):
    """The hospital's own window does not charge it before `until` while it is `held`; a lock that is over stays over."""

    reference: str
    until: datetime
    held: bool


class LockFee(WriteBack, frozen=True):
    """Before payment: this fee is about to be paid online. `kind`: registration or prescription; ends by itself at `until`.

    Ends too with `unlock-fee`, and with the charge of the same appointment, kind and number. `fee_taken` when the window was faster. The
    same request again gives the same lock, as it is now; after its end a new lock needs a new request. `fee_number` tells fees of one
    kind apart (the prescription's number: a visit may have several); a registration has none.
    """

    OPERATION: ClassVar[str] = "lock-fee"
    REPLY: ClassVar[type[Any]] = FeeLock
    appointment_id: UUID
    kind: Annotated[str, Meta(pattern="^(registration|prescription)$")]
    amount: Annotated[int, Meta(ge=1, le=100_000_000, description="amount in fen (1/100 yuan)")]
    until: Annotated[datetime, Meta(tz=True)]
    fee_number: FeeNumber = ""


class UnlockFee(WriteBack, frozen=True):
    """It will not be paid online after all. Done when there is no lock (any more): `reference` is empty then."""

    OPERATION: ClassVar[str] = "unlock-fee"
    appointment_id: UUID
    kind: Annotated[str, Meta(pattern="^(registration|prescription)$")]
    fee_number: FeeNumber = ""
