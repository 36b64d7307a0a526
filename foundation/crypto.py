"""Encryption of personal fields at rest and the keyed index that finds them again.

A stored value is `key id length (1) | key id | nonce (12) | AES-256-GCM ciphertext with tag`. The key id travels with
the value, so keys rotate without downtime: new values use the newest key, old ones open with theirs.
The associated data is the field's name: a value copied into another column does not open.
"""

import hmac
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


class CannotOpenError(Exception):
    """The value was changed, belongs to another field, or its key is not here."""


@dataclass(frozen=True)
class Keyring:
    """Keys by id (32 bytes each), the id new values use, and the key of the blind index (32 bytes)."""

    keys: dict[str, bytes]
    current: str
    index_key: bytes

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError(f"current key {self.current!r} is not among the keys")
        for name, key in self.keys.items():
            if len(key) != 32:
                raise ValueError(f"key {name!r} is not 32 bytes")
        if len(self.index_key) != 32:
            raise ValueError("the index key is not 32 bytes")

    def seal(self, plain: bytes, field: str) -> bytes:
        """Encrypt `plain` for the column named `field`."""
        name, nonce = self.current.encode(), os.urandom(NONCE)
        return (
            bytes([len(name)])
            + name
            + nonce
            + _cipher(self.keys[self.current]).encrypt(nonce, plain, field.encode())
        )

    def open(self, sealed: bytes, field: str) -> bytes:
        """Decrypt what `seal` made for the same `field`; `CannotOpenError` otherwise."""
        size = sealed[0] if sealed else 0
        key = self.keys.get(sealed[1 : 1 + size].decode(errors="replace"))
        if key is None:
            raise CannotOpenError("no such key")
        rest = sealed[1 + size :]
        try:
            return _cipher(key).decrypt(rest[:NONCE], rest[NONCE:], field.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpenError("changed, or of another field") from error

    def index(self, plain: str, field: str) -> bytes:
        """Keyed blind index of a normalised value: equal values of one field give equal 32 bytes, nothing else shows."""
        return hmac.digest(self.index_key, f"{field}\0{plain}".encode(), "sha256")


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    """Made once for a key: the key schedule costs as much as a short text."""
    return AESGCM(key)
