"""A merchant written from WeChat Pay's documents alone: signs, verifies, opens notifications."""

import base64
import itertools
import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

APPID, SECRET, MCHID = "wx0000000000000demo", "secret-of-a-test", "1900000001"
APIV3_KEY = "0123456789abcdef0123456789abcdef"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012026112200000000"
_numbers = itertools.count(1)


@dataclass
class Merchant:
    """`seconds_off` is how far its clock is from the machine's; `names_key` goes into `Wechatpay-Serial`."""

    base: str
    http: httpx.Client
    key: RSAPrivateKey
    serial: str
    known: dict[str, RSAPublicKey]
    notify_url: str
    names_key: str | None = PUBLIC_KEY_ID
    seconds_off: float = 0
    nonce: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def now(self) -> int:
        return int(time.time() + self.seconds_off)

    def sign(self, message: str | bytes) -> str:
        raw = message.encode() if isinstance(message, str) else message
        return base64.b64encode(self.key.sign(raw, PKCS1v15(), SHA256())).decode()

    def authorization(self, method: str, target: str, raw: bytes) -> str:
        timestamp, nonce = str(self.now()), self.nonce or secrets.token_hex(16).upper()
        message = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + raw + b"\n"
        fields = {
            "mchid": MCHID,
            "nonce_str": nonce,
            "signature": self.sign(message),
            "timestamp": timestamp,
            "serial_no": self.serial,
        }
        listed = ",".join(f'{name}="{value}"' for name, value in fields.items())
        return f"WECHATPAY2-SHA256-RSA2048 {listed}"

    def send(self, method: str, target: str, raw: bytes = b"", **headers: str) -> httpx.Response:
        """Sends exactly these bytes."""
        sent = {"Accept": "application/json", "User-Agent": "test"}
        if raw:
            sent["Content-Type"] = "application/json"
        if self.names_key:
            sent["Wechatpay-Serial"] = self.names_key
        sent |= {"Authorization": self.authorization(method, target, raw), **self.headers, **headers}
        return self.http.request(method, self.base + target, content=raw, headers=sent)

    def get(self, target: str) -> httpx.Response:
        return self.send("GET", target)

    def post(self, target: str, body: Any) -> httpx.Response:
        return self.send("POST", target, json.dumps(body, ensure_ascii=False).encode())

    def verifies(self, headers: Any, raw: bytes) -> bool:
        """Whether a key that we know signed it."""
        key = self.known.get(headers.get("wechatpay-serial", ""))
        message = f"{headers.get('wechatpay-timestamp')}\n{headers.get('wechatpay-nonce')}\n".encode()
        try:
            assert key is not None
            signature = base64.b64decode(headers["wechatpay-signature"], validate=True)
            key.verify(signature, message + raw + b"\n", PKCS1v15(), SHA256())
        except Exception:  # whatever is wrong with it
            return False
        return True

    def order_body(self, **changes: Any) -> dict[str, Any]:
        body = {
            "appid": APPID,
            "mchid": MCHID,
            "description": "在线复诊诊查费",
            "out_trade_no": f"IH{next(_numbers):08d}{secrets.token_hex(4)}",
            "notify_url": self.notify_url,
            "amount": {"total": 3000, "currency": "CNY"},
            "payer": {"openid": "o-patient"},
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    def order(self, **changes: Any) -> tuple[str, str]:
        """→ out_trade_no, prepay_id."""
        body = self.order_body(**changes)
        answer = self.post("/v3/pay/transactions/jsapi", body)
        assert answer.status_code == 200, answer.text
        return body["out_trade_no"], answer.json()["prepay_id"]

    def invocation(self, prepay_id: str) -> dict[str, str]:
        """What the page hands to `wx.requestPayment`."""
        stamp, nonce, package = str(self.now()), secrets.token_hex(8), f"prepay_id={prepay_id}"
        signature = self.sign(f"{APPID}\n{stamp}\n{nonce}\n{package}\n")
        return {
            "appId": APPID,
            "timeStamp": stamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        }

    def is_paid(self, openid: str, prepay_id: str) -> str:
        """The patient taps "pay"; what `wx.requestPayment` said."""
        answer = self.http.post(f"{self.base}/phone/{openid}/pay", json=self.invocation(prepay_id))
        result: str = answer.json()["result"]
        return result

    def paid_order(self, **changes: Any) -> str:
        number, prepay_id = self.order(**changes)
        assert (
            self.is_paid(changes.get("payer", {}).get("openid", "o-patient"), prepay_id)
            == "requestPayment:ok"
        )
        return number

    def query(self, number: str) -> dict[str, Any]:
        answer = self.get(f"/v3/pay/transactions/out-trade-no/{number}?mchid={MCHID}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def refund_body(self, number: str, **changes: Any) -> dict[str, Any]:
        return {
            "out_trade_no": number,
            "out_refund_no": f"R{secrets.token_hex(8)}",
            "reason": "医生未接诊",
            "notify_url": self.notify_url,
            "amount": {"refund": 3000, "total": 3000, "currency": "CNY"},
        } | changes

    def refund(self, number: str, **changes: Any) -> httpx.Response:
        return self.post("/v3/refund/domestic/refunds", self.refund_body(number, **changes))


def opened(body: bytes) -> dict[str, Any]:
    """The plain text of a notification."""
    resource = json.loads(body)["resource"]
    plain = AESGCM(APIV3_KEY.encode()).decrypt(
        resource["nonce"].encode(),
        base64.b64decode(resource["ciphertext"]),
        resource["associated_data"].encode(),
    )
    value: dict[str, Any] = json.loads(plain)
    return value


def private_key(path: Path) -> RSAPrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def serial_of(path: Path) -> str:
    return f"{x509.load_pem_x509_certificate(path.read_bytes()).serial_number:040X}"
