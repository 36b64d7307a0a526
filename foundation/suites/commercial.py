"""国密: SM3 (GB/T 32905), SM4 (GB/T 32907), SM2 signatures over SM3 (GB/T 32918.2). SM3 and SM4 by OpenSSL, SM2 by GmSSL."""

from dataclasses import dataclass, field

import gmssl_pyx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from foundation.suites.blocks import InMemory
from foundation.suites.points import from_der, to_der
from foundation.suites.port import Cipher

SIGNING = "SM2-SM3"
CURVE = "1.2.156.10197.1.301"
SIGNER_ID = b"1234567812345678"
"""The id that GB/T 35276 gives every signer who has none of his own; it is digested with the key before the data."""


@dataclass(frozen=True)
class Commercial:
    """The suite."""

    name: str = "commercial"
    signing: str = SIGNING

    def digest(self, data: bytes) -> bytes:
        """SM3."""
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize()

    def cipher(self, key: bytes) -> Cipher:
        """SM4."""
        return InMemory(SM4, key)

    def verify(self, public: bytes, data: bytes, signature: bytes) -> bool:
        """SM2 with the default id."""
        if len(public) != 65 or public[0] != 4:
            return False
        try:
            return bool(gmssl_pyx.sm2_verify(public[1:], data, to_der(signature), SIGNER_ID))
        except (gmssl_pyx.GmsslInnerError, gmssl_pyx.InvalidValueError, ValueError):
            return False


COMMERCIAL = Commercial()


@dataclass(frozen=True)
class Sm2Signer:
    """A private key of SM2 in memory, 32 bytes."""

    public: bytes
    private: bytes = field(repr=False)
    algorithm: str = SIGNING

    def sign(self, data: bytes) -> bytes:
        """r ‖ s over SM3 of id, key and data."""
        return from_der(gmssl_pyx.sm2_sign(self.private, self.public[1:], data, SIGNER_ID))
