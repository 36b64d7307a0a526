"""Client of the insurance bureau's payment centre. The wire format is ours (docs/counterparts.md): the real one is provincial."""

from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec

from backend.outside.insurance import Claim, GivenBack, InsuranceRefused, OrderType, Quote, Split
from backend.outside.signed import SignedClient
from foundation.errors import Unavailable

BASE = "/bureau/v1/settlements"
KINDS = {
    OrderType.REGISTRATION: "registration",
    OrderType.FOLLOW_UP: "follow_up",
    OrderType.PRESCRIPTION: "prescription",
}


class _Settlement(msgspec.Struct, frozen=True):
    pay_order_id: str
    serial_no: str
    total: int
    gov: int
    self_: int = msgspec.field(name="self")
    other: int
    cash: int
    made_at: datetime


class _Refund(msgspec.Struct, frozen=True):
    refund_no: str
    refund_id: str
    state: str
    gov: int
    self_: int = msgspec.field(name="self")
    other: int
    refunded_at: datetime | None


class _No(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Bureau:
    """One hospital at its bureau."""

    client: SignedClient
    org_code: str
    city_id: str

    async def pre_settle(self, claim: Claim) -> Quote:
        """The split of a claim. A split that does not add up is no answer."""
        body = {
            "serial_no": claim.serial_no,
            "pay_auth_no": claim.pay_auth_no,
            "org_code": self.org_code,
            "city_id": self.city_id,
            "kind": KINDS[claim.order_type],
            "total": claim.total,
            "lines": list(claim.lines),
        }
        found = self.client.read(_done(await self.client.call("POST", BASE, body)), _Settlement)
        split = Split(found.gov, found.self_, found.other, found.cash)
        if (found.serial_no, split.total) != (claim.serial_no, claim.total) or min(_parts(split)) < 0:
            raise Unavailable("医保返回的金额与费用不符，请稍后再试", code="insurance_split_wrong")
        return Quote(found.pay_order_id, split, found.made_at)

    async def revoke(self, pay_order_id: str) -> bool:
        """Take an unsettled claim back; False when it is settled and stays."""
        response = await self.client.call("POST", f"{BASE}/{pay_order_id}/revoke", {})
        if response.status_code == 409:
            return False
        _done(response)
        return True

    async def refund(self, pay_order_id: str, refund_no: str, split: Split, reason: str) -> GivenBack:
        """Ask, or ask again: the answer is where it stands."""
        body = {
            "refund_no": refund_no,
            "gov": split.gov,
            "self": split.self_,
            "other": split.other,
            "reason": reason[:80],
        }
        response = await self.client.call("POST", f"{BASE}/{pay_order_id}/refunds", body)
        found = self.client.read(_done(response), _Refund)
        back = Split(found.gov, found.self_, found.other, 0)
        if (found.refund_no, *_parts(back)[:3]) != (refund_no, *_parts(split)[:3]):
            raise Unavailable("医保返回了其他退费", code="wrong_refund")
        return GivenBack(
            refund_no, found.refund_id, back, found.refunded_at if found.state == "succeeded" else None
        )


def _parts(split: Split) -> tuple[int, int, int, int]:
    return split.gov, split.self_, split.other, split.cash


def _done(response: httpx.Response) -> httpx.Response:
    """The response when it is a yes; a no in the bureau's words."""
    if response.status_code < 300:
        return response
    if response.status_code == 401:
        raise Unavailable("医保系统不接受我们的签名，请联系医院", code="insurance_sign_error")
    try:
        refusal = msgspec.json.decode(response.content, type=_No)
    except msgspec.MsgspecError:
        refusal = _No()
    if refusal.code == "NOT_AUTHORISED":
        raise InsuranceRefused("医保授权已过期，请重新授权", code="insurance_not_authorised")
    raise InsuranceRefused(f"医保：{refusal.message or '请求未被接受'}")
