"""Bodies of docs/counterparts.md."""

from typing import Annotated

import msgspec
from msgspec import Meta

Fen = Annotated[int, Meta(ge=0, le=10**12)]
SomeFen = Annotated[int, Meta(ge=1, le=10**12)]
Id = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-]{6,64}\Z")]


class Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class Item(Strict, frozen=True):
    """One category of the bill: 诊察费, 西药费 …"""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    amount: SomeFen


class Amounts(Strict, frozen=True):
    """Who paid: pooled fund, personal account, other funds, cash; they add up to `total`."""

    total: SomeFen
    gov: Fen
    self_: Fen = msgspec.field(name="self")
    other: Fen
    cash: Fen


class NewBill(Strict, frozen=True):
    """POST /v1/bills."""

    request_id: Id
    payer: Annotated[str, Meta(min_length=1, max_length=64)]
    trade_number: Annotated[str, Meta(min_length=1, max_length=64)]
    paid_at: Annotated[str, Meta(min_length=20, max_length=40)]
    items: Annotated[list[Item], Meta(min_length=1, max_length=30)]
    amounts: Amounts


class Reversal(Strict, frozen=True):
    """POST /v1/bills/{code}/{number}/red."""

    request_id: Id
    reason: Annotated[str, Meta(min_length=1, max_length=100)]
