"""Canonical JSON: the bytes that are hashed, chained and signed.

Keys sorted, no white space, UTF-8, no floats (RFC 8785 leaves their spelling to IEEE 754; we refuse them),
so that any JSON library of any language can make the same bytes again.
"""

import hashlib
import json
from typing import Any

import msgspec


def canonical(value: Any) -> bytes:
    """Canonical bytes of a msgspec struct or plain JSON value; `TypeError` when it holds a float."""
    plain = msgspec.to_builtins(value, str_keys=True)
    _refuse_floats(plain)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(data: bytes) -> bytes:
    """SHA-256 digest, 32 bytes."""
    return hashlib.sha256(data).digest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("canonical JSON holds no floats: use an int or a decimal string")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_floats(item)
