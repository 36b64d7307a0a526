"""The port to the finance department's platform of medical e-bills (医疗收费电子票据): issue, red, query.

The wire format is ours (docs/counterparts.md): issuing interfaces are provincial or a vendor's. A bill is code, number and
check code (财综〔2018〕72号); it is never changed, only reversed as a whole by a red bill (冲红).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx
import msgspec

from backend.outside.insurance import Split
from backend.outside.signed import SignedClient
from foundation.clock import local
from foundation.errors import AppError, Conflict, Unavailable


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


@dataclass(frozen=True)
class EBillPlatform:
    """Client of the platform."""

    client: SignedClient
    public_url: str
    offered: bool = True

    async def issue(self, request: BillRequest) -> IssuedBill:
        """`POST /v1/bills`."""
        split = request.split
        body = {
            "request_id": request.request_id,
            "payer": request.payer,
            "trade_number": request.trade_number,
            "paid_at": local(request.paid_at).isoformat(timespec="seconds"),
            "items": list(request.items),
            "amounts": {
                "total": split.total, "gov": split.gov, "self": split.self_, "other": split.other, "cash": split.cash,
            },
        }  # fmt: skip
        return self._made(await self.client.call("POST", "/v1/bills", body), request.request_id, split.total)

    async def red(self, bill: tuple[str, str], request_id: str, reason: str) -> IssuedBill:
        """`POST /v1/bills/{code}/{number}/red`."""
        path = f"/v1/bills/{bill[0]}/{bill[1]}/red"
        response = await self.client.call("POST", path, {"request_id": request_id, "reason": reason[:100]})
        made = self._made(response, request_id)
        if (made.kind, made.red_of) != ("red", bill[1]):
            raise Unavailable("电子票据平台返回了其他票据", code="wrong_bill")
        return made

    async def query(self, request_id: str) -> IssuedBill | None:
        """`GET /v1/requests/{}`."""
        response = await self.client.call("GET", f"/v1/requests/{request_id}")
        return None if response.status_code == 404 else self._made(response, request_id)

    def verification(self, bill: tuple[str, str, str]) -> str:
        """The public page."""
        return f"{self.public_url}/verify?code={bill[0]}&number={bill[1]}&check={bill[2]}"

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    def _made(self, response: httpx.Response, request_id: str, total: int | None = None) -> IssuedBill:
        if response.status_code == 401:
            raise Unavailable("电子票据平台不接受我们的签名", code="e_bill_sign_error")
        if response.status_code >= 300:
            raise EBillRefused(f"电子票据平台：{_words(response)}")
        made = self.client.read(response, IssuedBill)
        if made.request_id != request_id or (total is not None and made.total != total):
            raise Unavailable("电子票据平台返回了其他票据", code="wrong_bill")
        return made


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


class _No(msgspec.Struct, frozen=True):
    message: str = ""


def _words(response: httpx.Response) -> str:
    try:
        return msgspec.json.decode(response.content, type=_No).message or "请求未被接受"
    except msgspec.MsgspecError:
        return "请求未被接受"


def _nothing() -> Conflict:
    return Conflict("本院不开具电子票据", code="e_bill_not_offered")
