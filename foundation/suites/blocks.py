"""A block cipher of OpenSSL with a key in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4

from foundation.suites.port import BLOCK


@dataclass(frozen=True)
class InMemory:
    """`algorithm` makes OpenSSL's object from the key."""

    algorithm: Callable[[bytes], SM4 | AES]
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != BLOCK:
            raise ValueError(f"key is {len(self.key)} bytes, expected {BLOCK}")

    def encrypt_blocks(self, plain: bytes, iv: bytes) -> bytes:
        """CBC without padding."""
        encryptor = self._cipher(iv).encryptor()
        return encryptor.update(plain) + encryptor.finalize()

    def decrypt_blocks(self, sealed: bytes, iv: bytes) -> bytes:
        """CBC without padding."""
        decryptor = self._cipher(iv).decryptor()
        return decryptor.update(sealed) + decryptor.finalize()

    def _cipher(self, iv: bytes) -> Cipher[modes.CBC]:
        return Cipher(self.algorithm(self.key), modes.CBC(iv))
