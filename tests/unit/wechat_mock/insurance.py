"""An insured patient's hospital, written from the documents alone: authorises, pre-settles, places and pays mixed orders."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA1

from tests.unit.wechat_mock.merchant import APPID, PUBLIC_KEY_ID, Merchant
from tests.unit.wechat_mock.settings_of_a_mock import INSURANCE_KEY, INSURANCE_SECRET, INSURED

NAME, ID_NUMBER = str(INSURED[0]["name"]), str(INSURED[0]["id_number"])
LINES = [
    {"code": "D-1", "name": "甲类药", "grade": "甲", "quantity": 2, "unit_amount": 1000, "amount": 2000},
    {"code": "D-2", "name": "乙类药", "grade": "乙", "quantity": 1, "unit_amount": 1005, "amount": 1005},
    {"code": "", "name": "目录外", "grade": "", "quantity": 1, "unit_amount": 500, "amount": 500},
]
TOTAL = 3505
CREATED_AT = "2026-11-22T09:00:00+08:00"


@dataclass
class Insurance:
    """`merchant` signs for WeChat Pay; the bureau knows the hospital by another key."""

    merchant: Merchant

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.bureau("POST", path, json.dumps(body, ensure_ascii=False).encode(), **headers)

    def get(self, path: str) -> httpx.Response:
        return self.bureau("GET", path)

    def bureau(self, method: str, path: str, raw: bytes = b"", **headers: str) -> httpx.Response:
        """Signed with the three headers."""
        target, timestamp = f"/bureau/v1{path}", str(self.merchant.now())
        text = "\n".join((method, target, timestamp, hashlib.sha256(raw).hexdigest()))
        signed = {
            "X-App-Key": INSURANCE_KEY,
            "X-Timestamp": timestamp,
            "X-Signature": hmac.new(INSURANCE_SECRET.encode(), text.encode(), "sha256").hexdigest(),
        }
        return self.merchant.http.request(
            method, self.merchant.base + target, content=raw, headers=signed | headers
        )

    def user_query(self, code: str, openid: str = "o-patient", **headers: str) -> dict[str, Any]:
        """What Tencent's receiver says of a code."""
        stamp = str(int((time.time() + self.merchant.seconds_off) * 1000))
        text = f"{INSURANCE_KEY}{stamp}".encode()
        sent = {
            "god-portal-timestamp": stamp,
            "god-portal-request-id": secrets.token_hex(16),
            "god-portal-signature": hmac.new(INSURANCE_SECRET.encode(), text, "sha256").hexdigest(),
        }
        address = f"{self.merchant.base}/api/mipuserquery/userQuery/{INSURANCE_KEY}"
        answer = self.merchant.http.post(
            address, json={"qrcode": code, "openid": openid}, headers=sent | headers
        )
        body: dict[str, Any] = answer.json() | {"status": answer.status_code}
        return body

    def code(self, openid: str = "o-patient") -> str:
        """She agrees on her phone."""
        answer = self.merchant.http.post(f"{self.merchant.base}/phone/{openid}/med-ins-auth").json()
        assert answer["retCode"] == "0", answer
        return str(answer["authCode"])

    def authorised(self, openid: str = "o-patient") -> str:
        """→ pay_auth_no."""
        return str(self.user_query(self.code(openid), openid)["pay_auth_no"])

    def claim(self, pay_auth_no: str, **changes: Any) -> dict[str, Any]:
        return {
            "serial_no": secrets.token_hex(10),
            "pay_auth_no": pay_auth_no,
            "org_code": "H31011400001",
            "city_id": "310100",
            "kind": "prescription",
            "total": TOTAL,
            "lines": LINES,
        } | changes

    def presettled(self, openid: str = "o-patient", **changes: Any) -> dict[str, Any]:
        """Authorised and pre-settled; the claim as the bureau tells it, with its authorisation."""
        number = self.authorised(openid)
        answer = self.post("/settlements", self.claim(number, **changes))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found | {"pay_auth_no": number}

    def sealed(self, text: str) -> str:
        """Readable for WeChat Pay only."""
        oaep = OAEP(MGF1(SHA1()), SHA1(), None)
        sealed = self.merchant.known[PUBLIC_KEY_ID].encrypt(text.encode(), oaep)
        return base64.b64encode(sealed).decode()

    def payer(self, name: str = NAME, id_number: str = ID_NUMBER) -> dict[str, str]:
        digest = hashlib.md5(id_number.encode()).hexdigest()
        return {"name": self.sealed(name), "id_digest": self.sealed(digest), "card_type": "ID_CARD"}

    def order_body(self, claim: dict[str, Any], freight: int = 0, **changes: Any) -> dict[str, Any]:
        """A mixed order for a claim; its cash part is placed where there is one."""
        number, cash = f"MI{secrets.token_hex(10)}", claim["cash"] + freight
        body = {
            "mix_pay_type": "CASH_AND_INSURANCE" if cash else "INSURANCE_ONLY",
            "order_type": "INT_RX_PAY",
            "appid": APPID,
            "openid": "o-patient",
            "payer": self.payer(),
            "pay_for_relatives": False,
            "out_trade_no": number,
            "serial_no": claim["serial_no"],
            "pay_order_id": claim["pay_order_id"],
            "pay_auth_no": claim["pay_auth_no"],
            "geo_location": "121.256300,31.298200",
            "city_id": "310100",
            "med_inst_name": "示范医院",
            "med_inst_no": "H31011400001",
            "med_ins_order_create_time": CREATED_AT,
            "total_fee": claim["total"] + freight,
            "med_ins_gov_fee": claim["gov"],
            "med_ins_self_fee": claim["self"],
            "med_ins_other_fee": claim["other"],
            "med_ins_cash_fee": claim["cash"],
            "callback_url": self.merchant.notify_url,
        }
        if freight:
            body["cash_add_detail"] = [{"cash_add_fee": freight, "cash_add_type": "FREIGHT"}]
        if cash:
            _, prepay_id = self.merchant.order(out_trade_no=number, amount={"total": cash, "currency": "CNY"})
            body |= {"wechat_pay_cash_fee": cash, "prepay_id": prepay_id}
        return {name: value for name, value in (body | changes).items() if value is not None}

    def place(self, body: dict[str, Any]) -> httpx.Response:
        return self.merchant.post("/v3/med-ins/orders", body)

    def placed(self, freight: int = 0, **changes: Any) -> dict[str, Any]:
        """Up to the moment in which the phone takes over; the answer, with what was asked."""
        body = self.order_body(self.presettled(), freight, **changes)
        answer = self.place(body)
        assert answer.status_code == 200, answer.text
        placed: dict[str, Any] = body | answer.json()
        return placed

    def pays(self, order: dict[str, Any], openid: str = "o-patient", **changes: Any) -> str:
        """The patient types her password; what `wx.requestMedicalInsurancePay` said."""
        values: dict[str, Any] = {"mixTradeNo": order["mix_trade_no"]}
        if order.get("prepay_id"):
            values |= self.merchant.invocation(order["prepay_id"])
        answer = self.merchant.http.post(
            f"{self.merchant.base}/phone/{openid}/med-ins-pay", json=values | changes
        )
        return str(answer.json()["result"])

    def query(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = self.merchant.get(f"/v3/med-ins/orders/mix-trade-no/{order['mix_trade_no']}")
        assert answer.status_code == 200, answer.text
        assert self.merchant.verifies(answer.headers, answer.content)
        body: dict[str, Any] = answer.json()
        return body

    def states(self, order: dict[str, Any]) -> tuple[str, str, str]:
        found = self.query(order)
        return found["mix_pay_status"], found["self_pay_status"], found["med_ins_pay_status"]

    def paid(self, freight: int = 0) -> dict[str, Any]:
        order = self.placed(freight)
        assert self.pays(order) == "requestMedicalInsurancePay:ok"
        return order

    def tells_refund(self, order: dict[str, Any], **changes: Any) -> httpx.Response:
        """The merchant tells WeChat what the bureau has given back."""
        parts = (order["med_ins_gov_fee"], order["med_ins_self_fee"], order["med_ins_other_fee"])
        body = {
            "med_refund_total_fee": sum(parts),
            "med_refund_gov_fee": parts[0],
            "med_refund_self_fee": parts[1],
            "med_refund_other_fee": parts[2],
            "refund_time": CREATED_AT,
            "out_refund_no": f"R{order['out_trade_no']}",
        } | changes
        return self.merchant.post(f"/v3/med-ins/refunds/notify?mix_trade_no={order['mix_trade_no']}", body)


def faults(insurance: Insurance, **values: Any) -> None:
    """Exactly these at the mock."""
    answer = insurance.merchant.http.put(f"{insurance.merchant.base}/_test/faults", json=values)
    assert answer.status_code == 200, answer.text


def moves_clock(insurance: Insurance, seconds: float) -> None:
    """The mock's and the merchant's."""
    base = insurance.merchant.base
    assert (
        insurance.merchant.http.post(f"{base}/_test/clock", json={"offset_seconds": seconds}).status_code
        == 200
    )
    insurance.merchant.seconds_off = seconds
