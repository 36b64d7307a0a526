"""The three headers by which the hospital signs its requests to the bureau, and a body read by its type."""

import hashlib
import hmac
from typing import TypeVar

import msgspec
from starlette.requests import Request

from miniapp_mock.wechat.faults import BadField
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay.signatures import target_of

T = TypeVar("T")
TOLERANCE = 300


class Unsigned(Exception):
    """401; `code` is STALE or BAD_SIGNATURE."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def check(mock: Mock, request: Request) -> None:
    """Raises Unsigned. An unknown key is answered like a wrong signature."""
    timestamp = request.headers.get("x-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Unsigned("STALE")
    if abs(mock.now - int(timestamp)) > TOLERANCE:
        raise Unsigned("STALE")
    digest = hashlib.sha256(await request.body()).hexdigest()
    text = "\n".join((request.method, target_of(request), timestamp, digest))
    expected = hmac.new(mock.settings.insurance_secret.encode(), text.encode("latin-1"), "sha256").hexdigest()
    key = request.headers.get("x-app-key", "").encode()
    same_key = hmac.compare_digest(key, mock.settings.insurance_key.encode())
    same = hmac.compare_digest(request.headers.get("x-signature", "").encode(), expected.encode())
    if not (same_key and same and mock.settings.insurance_secret):
        raise Unsigned("BAD_SIGNATURE")


async def read(request: Request, kind: type[T]) -> T:
    """Raises BadField."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as problem:
        issue, _, where = str(problem).partition(" - at `$")
        named = issue.split("`")[1] if "field `" in issue else ""
        place = where.strip("`.")
        raise BadField(".".join(part for part in (place, named) if part), issue) from None
    except (msgspec.DecodeError, RecursionError):
        raise BadField("", "the body is not JSON") from None
