"""The two algorithms signatures are made with: ECDSA P-256 with SHA-256, and SM2 with SM3 (GB/T 32918.2, 32905).

What is signed is the canonical bytes; what goes to the CA is the digest the algorithm signs, so that no patient's data
leaves. For SM2 that digest also binds the signer's id and public key (Z), and therefore needs the certificate.
"""

import hashlib
from typing import Any, Protocol

import gmssl_pyx
from asn1crypto import keys, pem, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

SM2_CURVE = "1.2.156.10197.1.301"
SIGNER_ID = b"1234567812345678"
"""The id that GB/T 35276 gives every signer who has none of his own."""
_A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)


class Algorithm(Protocol):
    """How content becomes what the CA signs, and how its answer is checked."""

    name: str
    digest_name: str

    def digest(self, certificate_pem: str, content: bytes) -> bytes:
        """32 bytes for the CA. `ValueError` when the certificate's key is of another kind."""

    def verify(self, certificate_pem: str, content: bytes, signature: bytes) -> bool:
        """Whether `signature` (DER) over `content` is the certificate's; nothing is said of the certificate itself."""


class Ecdsa:
    """ECDSA P-256 with SHA-256."""

    name = "ecdsa-p256-sha256"
    digest_name = "SHA-256"

    def digest(self, certificate_pem: str, content: bytes) -> bytes:
        """SHA-256 of the content."""
        return hashlib.sha256(content).digest()

    def verify(self, certificate_pem: str, content: bytes, signature: bytes) -> bool:
        """By OpenSSL."""
        curve, point = _public(certificate_pem)
        if curve != "secp256r1":
            return False
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


class Sm2:
    """SM2 with SM3."""

    name = "sm2-sm3"
    digest_name = "SM3"

    def digest(self, certificate_pem: str, content: bytes) -> bytes:
        """SM3 of Z and the content (GB/T 32918.2 section 6.1)."""
        curve, point = _public(certificate_pem)
        if curve != SM2_CURVE:
            raise ValueError(f"a certificate over SM2 is needed, this one is over {curve}")
        numbers = b"".join(number.to_bytes(32) for number in (_A, _B, *_G))
        z = sm3((len(SIGNER_ID) * 8).to_bytes(2) + SIGNER_ID + numbers + point[1:])
        return sm3(z + content)

    def verify(self, certificate_pem: str, content: bytes, signature: bytes) -> bool:
        """By GmSSL."""
        curve, point = _public(certificate_pem)
        if curve != SM2_CURVE:
            return False
        try:
            return bool(gmssl_pyx.sm2_verify(point[1:], content, signature, SIGNER_ID))
        except gmssl_pyx.GmsslInnerError:
            return False


ALGORITHMS: dict[str, Algorithm] = {one.name: one for one in (Ecdsa(), Sm2())}
ECDSA, SM2 = ALGORITHMS[Ecdsa.name], ALGORITHMS[Sm2.name]


def verify(algorithm: str, certificate_pem: str, signature: bytes, content: bytes) -> bool:
    """Whether it is the certificate's signature over `content`; False for an algorithm or a certificate we do not know."""
    known = ALGORITHMS.get(algorithm)
    try:
        return known is not None and known.verify(certificate_pem, content, signature)
    except ValueError:
        return False


def sm3(data: bytes) -> bytes:
    """SM3 digest, 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def _public(certificate_pem: str) -> tuple[str, bytes]:
    """Curve (name or OID) and uncompressed point of a certificate's key. `ValueError`."""
    key: Any = x509.Certificate.load(pem.unarmor(certificate_pem.encode())[2]).public_key
    if key.algorithm != "ec":
        raise ValueError("a key over an elliptic curve is needed")
    parameters = key["algorithm"]["parameters"]
    if not isinstance(parameters, keys.ECDomainParameters) or parameters.name != "named":
        raise ValueError("a named curve is needed")
    point = bytes(key["public_key"].native)
    if len(point) != 65 or point[0] != 4:
        raise ValueError("an uncompressed point is needed")
    return str(parameters.native), point
