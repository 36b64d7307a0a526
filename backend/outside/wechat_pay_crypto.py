"""WeChat Pay v3: what is signed, by whom, and what a notification hides. Pure."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEME = "WECHATPAY2-SHA256-RSA2048"
SKEW_SECONDS = 300


class NotWeChat(Exception):
    """The signature, the time or the ciphertext is not WeChat Pay's; the text says which."""


class UnknownKey(NotWeChat):
    """Signed with a key that we do not have; perhaps it is new."""

    def __init__(self, serial: str) -> None:
        super().__init__("unknown Wechatpay-Serial")
        self.serial = serial


class Probe(NotWeChat):
    """A wrong signature on purpose: WeChat Pay tests whether we verify. It comes again with a right one."""


class Stale(NotWeChat):
    """Rightly signed, and not of now by our clock: `seconds` ahead of us when positive."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"not fresh: {seconds:+d} s by our clock")
        self.seconds = seconds


@lru_cache(2)
def _private_key(pem: bytes) -> object:
    """Parsed once: its primes are proved anew each time, which takes 40 ms."""
    return serialization.load_pem_private_key(pem, None)


@dataclass(frozen=True)
class Merchant:
    """Our side of the keys."""

    mchid: str
    serial: str
    key: rsa.RSAPrivateKey
    apiv3_key: bytes

    @classmethod
    def load(cls, mchid: str, serial: str, key_path: Path, apiv3_key: str) -> "Merchant":
        """From PEM; `ValueError` when the key is not RSA or the APIv3 key is not 32 bytes."""
        key = _private_key(key_path.read_bytes())
        if not isinstance(key, rsa.RSAPrivateKey) or len(apiv3_key.encode()) != 32:
            raise ValueError("merchant key is not RSA or APIv3 key is not 32 bytes")
        return cls(mchid, serial, key, apiv3_key.encode())

    def sign(self, *lines: str) -> str:
        """Base64 RSA-SHA256 over the lines, each ended by a newline."""
        text = "".join(f"{line}\n" for line in lines).encode()
        return base64.b64encode(self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()

    def authorization(self, method: str, target: str, body: bytes, timestamp: int) -> str:
        """The `Authorization` header for exactly these bytes; `target` is path and query as sent."""
        nonce = secrets.token_hex(16).upper()
        signature = self.sign(method, target, str(timestamp), nonce, body.decode())
        return (
            f'{SCHEME} mchid="{self.mchid}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self.serial}"'
        )

    def invoke(self, appid: str, prepay_id: str, timestamp: int) -> dict[str, str]:
        """What `wx.requestPayment` is called with."""
        nonce, package = secrets.token_hex(16), f"prepay_id={prepay_id}"
        return {
            "appId": appid,
            "timeStamp": str(timestamp),
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": self.sign(appid, str(timestamp), nonce, package),
        }


def load_public_key(path: Path) -> rsa.RSAPublicKey:
    """WeChat Pay's public key, from a public key or a platform certificate in PEM."""
    raw = path.read_bytes()
    key = (
        x509.load_pem_x509_certificate(raw).public_key()
        if b"BEGIN CERTIFICATE" in raw
        else serialization.load_pem_public_key(raw)
    )
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"{path.name} is not an RSA public key")
    return key


PROBE = "WECHATPAY/SIGNTEST/"
"""How a wrong signature begins by which WeChat Pay tests whether its merchants verify at all."""


def verify(key: rsa.RSAPublicKey, headers: Mapping[str, str], body: bytes, now: int) -> None:
    """`NotWeChat` unless the raw `body` was signed by `key` within five minutes of `now`.

    The signature is looked at first: `Stale` says that it is WeChat Pay's, only not of now.
    """
    timestamp, given = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-signature", "")
    if given.startswith(PROBE):
        raise Probe("a probe with a wrong signature")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise NotWeChat("no time")
    text = f"{timestamp}\n{headers.get('wechatpay-nonce', '')}\n".encode() + body + b"\n"
    try:
        signature = base64.b64decode(given, validate=True)
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise NotWeChat("wrong signature") from error
    if abs(now - int(timestamp)) >= SKEW_SECONDS:
        raise Stale(int(timestamp) - now)


class Sealed(msgspec.Struct, frozen=True):
    """The encrypted part of a notification."""

    ciphertext: str
    nonce: str
    original_type: str = ""
    algorithm: str = ""
    associated_data: str = ""


class Notification(msgspec.Struct, frozen=True):
    """A notification as posted."""

    id: str
    event_type: str
    resource: Sealed
    create_time: str = ""
    resource_type: str = ""
    summary: str = ""


def unseal(apiv3_key: bytes, sealed: Sealed) -> bytes:
    """Plain bytes of a notification; `NotWeChat` when they do not open."""
    try:
        raw = base64.b64decode(sealed.ciphertext, validate=True)
        return AESGCM(apiv3_key).decrypt(sealed.nonce.encode(), raw, sealed.associated_data.encode())
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise NotWeChat("does not open") from error
