"""WeChat's medical-insurance payment, version 2.0 (`/v3/med-ins/*`, public), with the bureau behind it.

Three parties: Tencent's authorisation (a page, and a query for what its code stands for), the bureau (what is paid by whom),
WeChat Pay (one payment from both purses). The fields and rules are those of the merchant documents 4016781466, 4016781479,
4016781561; nothing here was tried against the live service.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import msgspec

from backend.outside.calling import answered, reaching, trace
from backend.outside.insurance import (
    Authorisation,
    Claim,
    GivenBack,
    InsuranceRefused,
    Mixed,
    MixedOrder,
    Part,
    Quote,
    Split,
)
from backend.outside.insurance_bureau import Bureau
from backend.outside.wechat_pay_exchange import PayRefused
from backend.outside.wechat_pay_signed import SignedPay
from foundation.client import http_client
from foundation.clock import Clock, local
from foundation.errors import Unavailable
from foundation.ids import new_id

ORDERS = "/v3/med-ins/orders"
WHO = "医保授权服务"
PAYMENT = "04107"
"""Kind of business of the authorisation: paying online (线上支付)."""
UNKNOWN = ("not_found", "order_not_exist", "resource_not_exists")
_STATE = re.compile(r"\A(?:MIX_PAY|SELF_PAY|MED_INS_PAY)_([A-Z]+)\Z")


@dataclass(frozen=True)
class Partner:
    """What Tencent gave the hospital for its authorisation."""

    id: str
    secret: str = field(repr=False)
    channel: str = ""


class _User(msgspec.Struct, frozen=True):
    code: int
    pay_auth_no: str = ""
    user_name: str = ""
    user_card_no: str = ""
    user_longitude_latitude: dict[str, str] = {}


class _Order(msgspec.Struct, frozen=True):
    mix_trade_no: str
    mix_pay_status: str
    self_pay_status: str
    med_ins_pay_status: str
    appid: str
    out_trade_no: str
    med_ins_gov_fee: int = 0
    med_ins_self_fee: int = 0
    med_ins_other_fee: int = 0
    med_ins_cash_fee: int = 0
    wechat_pay_cash_fee: int = 0
    paid_time: datetime | None = None
    med_ins_fail_reason: str = ""


@dataclass
class WeChatInsurance:
    """`backend.outside.insurance.MedicalInsurance` by WeChat."""

    appid: str
    signed: SignedPay
    bureau: Bureau
    partner: Partner
    partner_url: str
    org_name: str
    clock: Clock
    http: httpx.AsyncClient = field(init=False)
    offered: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self.http = http_client(self.partner_url)

    def invitation(self) -> Mapping[str, str]:
        """Query of Tencent's page `/oauth/code`."""
        return {
            "authType": "2",
            "isDepart": "2",
            "bizType": PAYMENT,
            "appid": self.appid,
            "cityCode": self.bureau.city_id,
            "channel": self.partner.channel,
            "orgCodg": self.bureau.org_code,
        }

    async def authorise(self, code: str, openid: str) -> Authorisation:
        """Ask Tencent what the code stands for."""
        stamp = str(self.clock.timestamp() * 1000)
        text = f"{self.partner.id}{stamp}".encode()
        headers = {
            "god-portal-timestamp": stamp,
            "god-portal-request-id": new_id().hex,
            "god-portal-signature": hmac.new(self.partner.secret.encode(), text, hashlib.sha256).hexdigest(),
            **trace(),
        }
        path = f"/api/mipuserquery/userQuery/{self.partner.id}"
        async with reaching(WHO):
            response = answered(
                await self.http.post(path, json={"qrcode": code, "openid": openid}, headers=headers), WHO
            )
        try:
            found = msgspec.json.decode(response.content, type=_User)
        except msgspec.MsgspecError as error:
            raise Unavailable(f"{WHO}返回的内容无法识别", code="counterpart_unusable") from error
        if response.status_code == 401:
            raise Unavailable(f"{WHO}不接受我们的签名，请联系医院", code="insurance_sign_error")
        if found.code != 0 or not found.pay_auth_no:
            raise InsuranceRefused("医保授权没有完成或已过期，请重新授权", code="insurance_not_authorised")
        place = found.user_longitude_latitude
        location = f"{place.get('longitude', '0.0')},{place.get('latitude', '0.0')}"
        return Authorisation(found.pay_auth_no, found.user_name, found.user_card_no, location)

    async def pre_settle(self, claim: Claim) -> Quote:
        """At the bureau."""
        return await self.bureau.pre_settle(claim)

    async def revoke(self, pay_order_id: str) -> bool:
        """At the bureau."""
        return await self.bureau.revoke(pay_order_id)

    async def place(self, order: MixedOrder) -> Mixed:
        """`POST /v3/med-ins/orders`; a number that was taken is looked up instead."""
        key = await self.signed.fields()
        digest = hashlib.md5(order.id_number.upper().encode(), usedforsecurity=False).hexdigest()
        payer = {"name": key.seal(order.name), "id_digest": key.seal(digest), "card_type": "ID_CARD"}
        body = self._body(order) | {"payer": payer}
        try:
            placed = await self.signed.call("POST", ORDERS, _Order, body, serial=key.serial)
        except PayRefused as error:
            if error.code != "already_exists":
                raise
            found = await self.query(order.out_trade_no)
            if found is None:
                raise
            return found
        return self._mixed(placed, order.out_trade_no)

    async def query(self, out_trade_no: str) -> Mixed | None:
        """`GET …/out-trade-no/{}`; an answer about another order is an error."""
        try:
            found = await self.signed.call("GET", f"{ORDERS}/out-trade-no/{out_trade_no}", _Order)
        except PayRefused as error:
            if error.code in UNKNOWN:
                return None
            raise
        return self._mixed(found, out_trade_no)

    async def refund(self, pay_order_id: str, refund_no: str, split: Split, reason: str) -> GivenBack:
        """At the bureau; WeChat is told by `tell_refunded`."""
        return await self.bureau.refund(pay_order_id, refund_no, split, reason)

    async def tell_refunded(self, mix_trade_no: str, back: GivenBack) -> None:
        """`POST /v3/med-ins/refunds/notify`, which we call and not WeChat; safe to repeat."""
        assert back.refunded_at is not None
        body = {
            "med_refund_total_fee": back.split.insurance,
            "med_refund_gov_fee": back.split.gov,
            "med_refund_self_fee": back.split.self_,
            "med_refund_other_fee": back.split.other,
            "refund_time": local(back.refunded_at).isoformat(timespec="seconds"),
            "out_refund_no": back.refund_no,
        }
        await self.signed.call("POST", f"/v3/med-ins/refunds/notify?mix_trade_no={mix_trade_no}", None, body)

    async def close(self) -> None:
        """Ours only: WeChat Pay's connections belong to its client."""
        await self.http.aclose()
        await self.bureau.client.close()

    def _body(self, order: MixedOrder) -> dict[str, Any]:
        """All but the payer. A field that an order of this kind must not have is left out."""
        split = order.split
        body: dict[str, Any] = {
            "mix_pay_type": "CASH_AND_INSURANCE" if order.cash else "INSURANCE_ONLY",
            "order_type": order.order_type.value,
            "appid": self.appid,
            "openid": order.openid,
            "pay_for_relatives": False,
            "out_trade_no": order.out_trade_no,
            "serial_no": order.serial_no,
            "pay_order_id": order.pay_order_id,
            "pay_auth_no": order.pay_auth_no,
            "geo_location": order.location,
            "city_id": self.bureau.city_id,
            "med_inst_name": self.org_name,
            "med_inst_no": self.bureau.org_code,
            "med_ins_order_create_time": local(order.quoted_at).isoformat(timespec="seconds"),
            "total_fee": split.insurance + order.cash,
            "med_ins_gov_fee": split.gov,
            "med_ins_self_fee": split.self_,
            "med_ins_other_fee": split.other,
            "med_ins_cash_fee": split.cash,
            "callback_url": order.callback_url,
        }
        if order.cash:
            body |= {"wechat_pay_cash_fee": order.cash, "prepay_id": order.prepay_id}
        if order.freight:
            body["cash_add_detail"] = [{"cash_add_fee": order.freight, "cash_add_type": "FREIGHT"}]
        if self.partner.channel:
            body["channel_no"] = self.partner.channel
        return body

    def _mixed(self, found: _Order, out_trade_no: str) -> Mixed:
        if (found.out_trade_no, found.appid) != (out_trade_no, self.appid):
            raise Unavailable("微信支付返回了其他医保订单", code="wrong_order")
        whole, cash, insurance = (
            _part(text) for text in (found.mix_pay_status, found.self_pay_status, found.med_ins_pay_status)
        )
        return Mixed(
            mix_trade_no=found.mix_trade_no, out_trade_no=found.out_trade_no, whole=whole, cash_part=cash,
            insurance_part=insurance, cash=found.wechat_pay_cash_fee, paid_at=found.paid_time,
            reason=found.med_ins_fail_reason,
            split=Split(
                found.med_ins_gov_fee, found.med_ins_self_fee, found.med_ins_other_fee, found.med_ins_cash_fee
            ),
        )  # fmt: skip


def _part(text: str) -> Part:
    """`SELF_PAY_SUCCESS` → SUCCESS, `NO_SELF_PAY` → none; a state nobody told us of is no answer."""
    if text in ("NO_SELF_PAY", "NO_MED_INS_PAY"):
        return Part.NONE
    found = _STATE.match(text)
    try:
        return Part(found[1]) if found else Part("?")
    except ValueError as error:
        raise Unavailable("微信支付返回了未知的医保订单状态", code="counterpart_unusable") from error
