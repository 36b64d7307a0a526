"""Opens a request: headers, signature, freshness, rights, decryption, in the order of docs/profiles/tianjin-1.0.md."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.supervision.answers import Outer, OuterRefusalError
from simulators.supervision.crypto import NotHexError, WrongKeyError, decrypt, sm3_upper
from simulators.supervision.envelope_keys import KINDS, holds
from simulators.supervision.tables import Method, Profile

SIGNED = ("x-ca-key", "x-ca-nonce", "x-ca-timestamp", "x-content-md5", "x-service-id", "x-service-method")
_NONCE_LIMIT = 64


@dataclass(frozen=True)
class Access:
    """What one hospital was given, and how strictly it is looked at. An empty `addresses` lets all in.

    `public` is the point (65 bytes) of the key the hospital signs with; without one it may not use an interface that wants it.
    """

    unit_id: str
    app_key: str
    app_secret: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    freshness_seconds: float = 300
    addresses: frozenset[str] = frozenset()
    public: bytes = b""


@dataclass(frozen=True)
class Request:
    headers: Mapping[str, str]
    body: bytes
    address: str


@dataclass(frozen=True)
class Opened:
    method: Method
    items: list[Any]
    digest: str


def open_request(
    request: Request, profile: Profile, access: Access, now_ms: int, remember_nonce: Callable[[str], bool]
) -> Opened:
    """`remember_nonce` says whether it is new. Raises OuterRefusalError."""
    values = _headers(request.headers, access)
    if access.addresses and request.address not in access.addresses:
        raise OuterRefusalError(Outer.ADDRESS)
    if profile.signed_by_key and not access.public:
        raise OuterRefusalError(Outer.NO_RIGHT, "没有登记签名公钥")
    _check_signature(values, request.headers, request.body, access.public if profile.signed_by_key else b"")
    age = abs(now_ms - int(values["x-ca-timestamp"]))
    if age > access.freshness_seconds * 1000 or not remember_nonce(values["x-ca-nonce"]):
        raise OuterRefusalError(Outer.EXPIRED)
    method = profile.methods.get(values["x-service-method"])
    if values["x-service-id"] != profile.service_id or method is None:
        raise OuterRefusalError(Outer.NO_RIGHT)
    return Opened(method, _items(request.body, access), values["x-content-md5"])


def _headers(headers: Mapping[str, str], access: Access) -> dict[str, str]:
    values = {name: headers.get(name, "").strip() for name in SIGNED}
    if values["x-ca-key"] != access.app_key:
        raise OuterRefusalError(Outer.NO_APP_KEY)
    missing = [name for name, value in values.items() if not value]
    if not headers.get("x-ca-signature", "").strip():
        missing.append("x-ca-signature")
    if missing:
        raise OuterRefusalError(Outer.BAD_PARAMETER, "|".join(missing))
    stamp = values["x-ca-timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) == 13):
        raise OuterRefusalError(Outer.BAD_PARAMETER, "x-ca-timestamp")
    if len(values["x-ca-nonce"]) > _NONCE_LIMIT:
        raise OuterRefusalError(Outer.BAD_PARAMETER, "x-ca-nonce")
    return values


def _check_signature(
    values: Mapping[str, str], headers: Mapping[str, str], body: bytes, public: bytes
) -> None:
    named = headers.get("x-ca-signature-headers", "").strip()
    if named and named != ",".join(SIGNED):
        raise OuterRefusalError(Outer.BAD_SIGNATURE, "x-ca-signature-headers")
    if not _same(values["x-content-md5"], sm3_upper(body)):
        raise OuterRefusalError(Outer.BAD_SIGNATURE, "x-content-md5")
    text = "&".join(f"{name}:{values[name]}" for name in SIGNED)
    given = headers["x-ca-signature"].strip()
    if public:
        kind = headers.get("x-ca-signature-method", "").strip()
        if kind not in KINDS or not holds(kind, public, text.encode("utf-8"), given):
            raise OuterRefusalError(Outer.BAD_SIGNATURE)
    elif not _same(given, sm3_upper(text.encode("utf-8"))):
        raise OuterRefusalError(Outer.BAD_SIGNATURE)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _items(body: bytes, access: Access) -> list[Any]:
    try:
        text = decrypt(body, access.app_secret, access.iv)
    except NotHexError:
        raise OuterRefusalError(Outer.BAD_PARAMETER, "请求体不是小写十六进制密文") from None
    except WrongKeyError:
        raise OuterRefusalError(Outer.KEY_MISMATCH) from None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        raise OuterRefusalError(Outer.BAD_PARAMETER, "请求体不是JSON") from None
    if not isinstance(items, list):
        raise OuterRefusalError(Outer.BAD_PARAMETER, "请求体不是JSON数组")
    return items
