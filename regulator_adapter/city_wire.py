"""The platforms' envelope: a JSON array encrypted whole, digested and signed. Pure; the algorithms are a suite's (`foundation.suites`).

Source: 天津市互联网诊疗服务监管平台 数据监管接口规范 ver1.0 and the vendor's SDK. Where they differ (the text signs `k=v` with the
body in it, the SDK signs six headers as `name:value`) the SDK wins: the platform runs it. Tianjin's signature is a digest, the key shows
itself in the encryption; a profile with `signature = "key"` is signed by the hospital's own key instead.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from foundation.suites import Signer, Suite, WrongPaddingError
from foundation.suites.commercial import COMMERCIAL
from foundation.suites.port import BLOCK, pad, unpad
from foundation.suites.port import seal as seal_blocks
from foundation.suites.port import unseal as unseal_blocks
from foundation.suites.secret_keys import SecretKey

__all__ = [
    "Credentials",
    "Message",
    "WrongPaddingError",
    "decrypt",
    "encrypt",
    "pad",
    "seal",
    "signature",
    "sm3",
    "unpad",
]

SIGNED = (
    "x-ca-key",
    "x-ca-nonce",
    "x-ca-timestamp",
    "x-content-md5",
    "x-service-id",
    "x-service-method",
)


@dataclass(frozen=True)
class Credentials:
    """What the platform gave the hospital: `key` is the appSecret (16 bytes), wherever it lies, `iv` the SDK's constant, 16 bytes.

    `signer` is the hospital's own key, for platforms that want one.
    """

    app_key: str
    key: SecretKey = field(repr=False)
    iv: bytes = field(repr=False)
    signer: Signer | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.iv) != BLOCK:
            raise ValueError(f"iv is {len(self.iv)} bytes, expected {BLOCK}")


@dataclass(frozen=True)
class Message:
    """One request as it goes out; `digest` (upper-case hex SM3 of the body) stands in for a receipt where there is none."""

    headers: Mapping[str, str]
    body: bytes
    digest: str


def seal(
    records: Sequence[Mapping[str, Any]],
    credentials: Credentials,
    *,
    service: str,
    method: str,
    nonce: UUID,
    millis: int,
    suite: Suite = COMMERCIAL,
    by_key: bool = False,
) -> Message:
    """The whole request for `records`; `millis` is the sender's clock, `nonce` new for each request. `by_key`: signed by the hospital's key."""
    plain = json.dumps(list(records), ensure_ascii=False, separators=(",", ":")).encode()
    body = encrypt(plain, credentials, suite).hex().encode()
    digest = suite.digest(body).hex().upper()
    values = {
        "x-ca-key": credentials.app_key,
        "x-ca-nonce": str(nonce),
        "x-ca-timestamp": str(millis),
        "x-content-md5": digest,
        "x-service-id": service,
        "x-service-method": method,
    }
    headers = {
        "Content-Type": "application/json",
        "X-Service-Id": service,
        "X-Service-Method": method,
        "X-Ca-Key": credentials.app_key,
        "X-Ca-Nonce": str(nonce),
        "X-Ca-Timestamp": str(millis),
        "X-Content-MD5": digest,
        "X-Ca-Signature-Headers": ",".join(SIGNED),
    }
    if not by_key:
        return Message(headers | {"X-Ca-Signature": signature(values, suite)}, body, digest)
    if credentials.signer is None:
        raise ValueError("this platform wants signatures of the hospital's own key, and there is none")
    signed = {
        "X-Ca-Signature-Method": credentials.signer.algorithm,
        "X-Ca-Signature": credentials.signer.sign(signed_text(values)).hex(),
    }
    return Message(headers | signed, body, digest)


def signed_text(values: Mapping[str, str]) -> bytes:
    """`name:value` of the six headers, lower-case names, sorted, joined with `&`."""
    return "&".join(f"{name}:{values[name]}" for name in SIGNED).encode()


def signature(values: Mapping[str, str], suite: Suite = COMMERCIAL) -> str:
    """Upper-case hex digest of the signed text."""
    return suite.digest(signed_text(values)).hex().upper()


def encrypt(plain: bytes, credentials: Credentials, suite: Suite = COMMERCIAL) -> bytes:
    """CBC over `plain` padded by ISO/IEC 7816-4."""
    return seal_blocks(credentials.key.cipher(suite), plain, credentials.iv)


def decrypt(sealed: bytes, credentials: Credentials, suite: Suite = COMMERCIAL) -> bytes:
    """The other way; `WrongPaddingError` when it is not ours."""
    return unseal_blocks(credentials.key.cipher(suite), sealed, credentials.iv)


def sm3(data: bytes) -> bytes:
    """SM3 digest (GB/T 32905), 32 bytes."""
    return COMMERCIAL.digest(data)
