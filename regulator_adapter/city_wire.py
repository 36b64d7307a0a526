"""The platforms' envelope: a JSON array in SM4-CBC, digested and signed with SM3. Pure.

Source: 天津市互联网诊疗服务监管平台 数据监管接口规范 ver1.0 and the vendor's SDK. Where they differ (the text signs `k=v` with the
body in it, the SDK signs six headers as `name:value`) the SDK wins: the platform runs it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16
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
    """What the platform gave the hospital: `key` is 16 bytes (the hex-decoded appSecret), `iv` the SDK's constant, 16 bytes."""

    app_key: str
    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("key", self.key), ("iv", self.iv)):
            if len(value) != BLOCK:
                raise ValueError(f"{name} is {len(value)} bytes, expected {BLOCK}")


@dataclass(frozen=True)
class Message:
    """One request as it goes out; `digest` (upper-case hex SM3 of the body) stands in for a receipt where there is none."""

    headers: Mapping[str, str]
    body: bytes
    digest: str


class WrongPaddingError(ValueError):
    """The plain text does not end in 80 00…: another key, another IV, or cut off."""


def seal(
    records: Sequence[Mapping[str, Any]], credentials: Credentials, *, service: str, method: str, nonce: UUID, millis: int
) -> Message:  # fmt: skip
    """The whole request for `records`; `millis` is the sender's clock, `nonce` new for each request."""
    plain = json.dumps(list(records), ensure_ascii=False, separators=(",", ":")).encode()
    body = encrypt(plain, credentials).hex().encode()
    digest = sm3(body).hex().upper()
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
        "X-Ca-Signature": signature(values),
    }
    return Message(headers, body, digest)


def signature(values: Mapping[str, str]) -> str:
    """Upper-case hex SM3 over `name:value` of the six headers, lower-case names, sorted, joined with `&`."""
    return sm3("&".join(f"{name}:{values[name]}" for name in SIGNED).encode()).hex().upper()


def encrypt(plain: bytes, credentials: Credentials) -> bytes:
    """SM4-CBC over `plain` padded by ISO/IEC 7816-4."""
    encryptor = Cipher(algorithms.SM4(credentials.key), modes.CBC(credentials.iv)).encryptor()
    return encryptor.update(pad(plain)) + encryptor.finalize()


def decrypt(sealed: bytes, credentials: Credentials) -> bytes:
    """The other way; `WrongPaddingError` when it is not ours."""
    if not sealed or len(sealed) % BLOCK:
        raise WrongPaddingError("not whole blocks")
    decryptor = Cipher(algorithms.SM4(credentials.key), modes.CBC(credentials.iv)).decryptor()
    return unpad(decryptor.update(sealed) + decryptor.finalize())


def pad(plain: bytes) -> bytes:
    """One byte 80, then 00 up to a whole block; at least one byte is always added."""
    marked = plain + b"\x80"
    return marked + bytes(-len(marked) % BLOCK)


def unpad(padded: bytes) -> bytes:
    """Undo `pad`."""
    stripped = padded.rstrip(b"\x00")
    if not stripped.endswith(b"\x80") or len(padded) - len(stripped) >= BLOCK:
        raise WrongPaddingError("no 80 before the zeros of the last block")
    return stripped[:-1]


def sm3(data: bytes) -> bytes:
    """SM3 digest (GB/T 32905), 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()
