"""Who calls: `Authorization: WECHATPAY2-SHA256-RSA2048 …` over the bytes that came, and our own signatures."""

import base64
import binascii
import re
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.requests import Request

from miniapp_mock.wechat.clock import MINUTE
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay.errors import PayError
from miniapp_mock.wechat.pay.keys import SigningKey, same_serial

SCHEME = "WECHATPAY2-SHA256-RSA2048"
SKEW = 5 * MINUTE
PROBE = "WECHATPAY/SIGNTEST/"
FIELDS = frozenset({"mchid", "nonce_str", "signature", "timestamp", "serial_no"})
MALFORMED = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
_FIELD = re.compile(r'([a-z_]+)="([^"]*)"')


@dataclass(frozen=True)
class Signed:
    """What a request was signed over."""

    method: str
    target: str
    timestamp: str
    nonce: str
    body: bytes

    @property
    def message(self) -> bytes:
        return f"{self.method}\n{self.target}\n{self.timestamp}\n{self.nonce}\n".encode() + self.body + b"\n"


def check_caller(mock: Mock, request: Request, body: bytes) -> None:
    """The merchant signed exactly this request, lately, once. Raises PayError (401, or 400 for another merchant)."""
    fields = _read_header(request.headers.get("authorization", ""))
    if fields["mchid"] != mock.settings.mchid:
        raise PayError("MCH_NOT_EXISTS", "商户号不存在")
    if not same_serial(fields["serial_no"], mock.keys.merchant_serial):
        raise _sign_error("商户证书序列号有误。请使用签名私钥匹配的证书序列号", field="serial_no")
    if not fields["timestamp"].isascii() or not fields["timestamp"].isdigit():
        raise _sign_error(MALFORMED, field="timestamp")
    if abs(mock.now - int(fields["timestamp"][:12])) > SKEW:
        raise _sign_error("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", field="timestamp")
    signed = Signed(request.method, target_of(request), fields["timestamp"], fields["nonce_str"], body)
    if not verifies(mock.keys.merchant, fields["signature"], signed.message):
        raise _not_matching(signed)
    _remember(mock, fields["nonce_str"])


def target_of(request: Request) -> str:
    """Path and query as they came over the wire, before any decoding."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def verifies(key: RSAPublicKey, signature: str, message: bytes) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def signature_headers(mock: Mock, key: SigningKey, body: bytes, *, probe: bool) -> dict[str, str]:
    """Of an answer or a notification. A probe must fail at the merchant's."""
    timestamp, nonce = str(int(mock.now)), secrets.token_hex(16)
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = base64.b64encode(key.key.sign(message, PKCS1v15(), SHA256())).decode()
    if probe:
        signature = PROBE + signature[len(PROBE) :]
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": key.serial,
        "Wechatpay-Signature-Type": SCHEME,
    }


def _read_header(value: str) -> dict[str, str]:
    if not value:
        raise _sign_error("Http头缺少Authorization")
    scheme, _, rest = value.partition(" ")
    if scheme != SCHEME:
        raise _sign_error("Http头Authorization认证类型不正确")
    pairs = [_FIELD.fullmatch(part.strip()) for part in rest.split(",")]
    fields = {pair[1]: pair[2] for pair in pairs if pair}
    if len(pairs) != len(FIELDS) or fields.keys() != FIELDS or not all(fields.values()):
        raise _sign_error(MALFORMED)
    return fields


def _remember(mock: Mock, nonce: str) -> None:
    """A nonce is good once while its time stamp would be. Our own strictness: WeChat Pay does not document it."""
    mock.store.run("DELETE FROM nonces WHERE seen_at < ?", mock.now - 3 * SKEW)
    if not mock.store.run("INSERT OR IGNORE INTO nonces (nonce, seen_at) VALUES (?, ?)", nonce, mock.now):
        raise _sign_error("Http头Authorization中的nonce_str已使用过", field="nonce_str")


def _sign_error(message: str, field: str = "") -> PayError:
    detail = {"field": field, "location": "authorization"} if field else {"location": "authorization"}
    return PayError("SIGN_ERROR", message, detail=detail)


def _not_matching(signed: Signed) -> PayError:
    message = signed.message
    return PayError(
        "SIGN_ERROR",
        "错误的签名，验签失败",
        detail={
            "field": "signature",
            "location": "authorization",
            "detail": {"issue": "sign not match"},
            "sign_information": {
                "method": signed.method,
                "url": signed.target,
                "truncated_sign_message": message[:120].decode("utf-8", "replace"),
                "sign_message_length": len(message),
            },
        },
    )
