"""The platform of medical e-bills over its signed wire (docs/counterparts.md)."""

from dataclasses import dataclass

import httpx
import msgspec

from backend.outside.e_bill import BillRequest, EBillRefused, IssuedBill
from backend.outside.signed import SignedClient
from foundation.clock import local
from foundation.errors import Unavailable


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


class _No(msgspec.Struct, frozen=True):
    message: str = ""


def _words(response: httpx.Response) -> str:
    try:
        return msgspec.json.decode(response.content, type=_No).message or "请求未被接受"
    except msgspec.MsgspecError:
        return "请求未被接受"
