"""An authenticator application, from RFC 6238 alone."""

import base64
import hmac
import struct


def code_at(secret: str, seconds: float) -> str:
    """The six digits shown at that time."""
    counter = struct.pack(">Q", int(seconds) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[start : start + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"
