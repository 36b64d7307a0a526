"""Symmetric keys by their place: digits in a setting, a file, or a security module; each gives the cipher of a suite.

PKCS#11 has no SM4: a module enciphers with a key of AES itself, and a key of SM4 it only keeps (a generic secret that may be read with
the PIN), so that it lies in no file; it is read once, at the start.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from foundation.suites.international import INTERNATIONAL
from foundation.suites.port import BLOCK, Cipher, Suite

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
EXAMPLES = frozenset(
    bytes.fromhex(one)
    for one in (
        "0123456789abcdeffedcba9876543210",
        "00112233445566778899aabbccddeeff",
        "000102030405060708090a0b0c0d0e0f",
    )
)
"""Of GB/T 32907 and of handbooks."""


class SecretKey(Protocol):
    """One key, wherever it lies."""

    @property
    def example(self) -> bool:
        """Whether everybody knows it: from a handbook, or one byte over and over."""

    def cipher(self, suite: Suite) -> Cipher:
        """The same one each time; `ValueError` when this key cannot be used in that suite."""


@dataclass(frozen=True)
class KeyInMemory:
    """16 bytes, for either suite."""

    value: bytes = field(repr=False)
    _made: dict[str, Cipher] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.value) != BLOCK:
            raise ValueError(f"key is {len(self.value)} bytes, expected {BLOCK}")

    @property
    def example(self) -> bool:
        """By its bytes."""
        return self.value in EXAMPLES or len(set(self.value)) == 1

    def cipher(self, suite: Suite) -> Cipher:
        """SM4 or AES."""
        found = self._made.get(suite.name)
        if found is None:
            found = self._made[suite.name] = suite.cipher(self.value)
        return found


@dataclass(frozen=True)
class KeyInModule:
    """A key of AES that never leaves its module."""

    held: Cipher
    example: bool = False

    def cipher(self, suite: Suite) -> Cipher:
        """The module's."""
        if suite.name != INTERNATIONAL.name:
            raise ValueError(f"the module holds a key of AES, the {suite.name} suite needs another")
        return self.held


def secret_key(location: str, pin: str = "", module: str = "") -> SecretKey:
    """The key at `location`: hex digits, the path of a file that holds them, or `pkcs11:token=…;object=…`. `ValueError` in one line without the key."""
    if location.startswith("pkcs11:"):
        from foundation.suites.hardware import open_secret

        held = open_secret(location, pin, module)
        return KeyInMemory(held) if isinstance(held, bytes) else KeyInModule(held)
    if _HEX.fullmatch(location):
        return KeyInMemory(bytes.fromhex(location))
    try:
        text = Path(location).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        # What stands there may be a key with a slip in it: it is not shown.
        raise ValueError(
            "a key is hex, the path of a file that holds hex, or pkcs11:…; this is none"
        ) from None
    if not _HEX.fullmatch(text):
        raise ValueError(f"{Path(location).name} does not hold hex digits")
    return KeyInMemory(bytes.fromhex(text))
