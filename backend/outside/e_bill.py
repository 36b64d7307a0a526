"""The port to the finance department's platform of medical e-bills (医疗收费电子票据): issue, red, query.

The wire format is ours (docs/counterparts.md): issuing interfaces are provincial or a vendor's. A bill is code, number and
check code (财综〔2018〕72号); it is never changed, only reversed as a whole by a red bill (冲红).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from backend.outside.insurance import Split
from foundation.errors import AppError, Conflict


class BillItem(msgspec.Struct, frozen=True):
    """A category of fees: 诊察费, 西药费 …, never a drug's name."""

    name: str
    amount: int


@dataclass(frozen=True)
class BillRequest:
    """What is billed; the same `request_id` with the same content is the same bill."""

    request_id: str
    payer: str
    trade_number: str
    paid_at: datetime
    items: Sequence[BillItem]
    split: Split


class IssuedBill(msgspec.Struct, frozen=True):
    """A bill or red bill as issued; `total` of a red one is negative. `notice` is what the issuer wants shown with it."""

    request_id: str
    code: str
    number: str
    check_code: str
    kind: str
    state: str
    total: int
    issued_at: datetime
    notice: str = ""
    red_of: str = ""


class EBillRefused(AppError):
    """The platform does not issue or reverse; a person has to look."""

    status, code, title = 409, "e_bill_refused", "电子票据未开具"


class EBill(Protocol):
    """What billing needs."""

    @property
    def offered(self) -> bool:
        """Whether this hospital issues e-bills."""

    async def issue(self, request: BillRequest) -> IssuedBill:
        """A bill."""

    async def red(self, bill: tuple[str, str], request_id: str, reason: str) -> IssuedBill:
        """Reverse the bill with this code and number as a whole."""

    async def query(self, request_id: str) -> IssuedBill | None:
        """What a request made, when its answer was lost."""

    def verification(self, bill: tuple[str, str, str]) -> str:
        """Where anybody verifies a bill by code, number and check code."""

    async def close(self) -> None:
        """Close the connections."""


class NoEBill:
    """A hospital that issues no e-bills (a for-profit one issues tax invoices instead)."""

    offered = False

    async def issue(self, request: BillRequest) -> IssuedBill:
        """Never."""
        raise _nothing()

    async def red(self, bill: tuple[str, str], request_id: str, reason: str) -> IssuedBill:
        """Never."""
        raise _nothing()

    async def query(self, request_id: str) -> IssuedBill | None:
        """Never."""
        raise _nothing()

    def verification(self, bill: tuple[str, str, str]) -> str:
        """Never."""
        raise _nothing()

    async def close(self) -> None:
        """Nothing is open."""


def _nothing() -> Conflict:
    return Conflict("本院不开具电子票据", code="e_bill_not_offered")
