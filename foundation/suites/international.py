"""The international set: SHA-256, AES-128, ECDSA over P-256 with SHA-256. By OpenSSL."""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from foundation.suites.blocks import InMemory
from foundation.suites.points import from_der, to_der
from foundation.suites.port import Cipher

SIGNING = "ECDSA-P256-SHA256"


@dataclass(frozen=True)
class International:
    """The suite."""

    name: str = "international"
    signing: str = SIGNING

    def digest(self, data: bytes) -> bytes:
        """SHA-256."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        return digest.finalize()

    def cipher(self, key: bytes) -> Cipher:
        """AES-128: the interfaces give keys of 16 bytes."""
        return InMemory(AES, key)

    def verify(self, public: bytes, data: bytes, signature: bytes) -> bool:
        """ECDSA."""
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
            key.verify(to_der(signature), data, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


INTERNATIONAL = International()


@dataclass(frozen=True)
class EcdsaSigner:
    """A private key over P-256 in memory."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    algorithm: str = SIGNING

    @property
    def public(self) -> bytes:
        """The uncompressed point."""
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def sign(self, data: bytes) -> bytes:
        """r ‖ s over SHA-256 of the data."""
        return from_der(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
