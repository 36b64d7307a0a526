"""Signatures that hospitals make with keys of their own: r ‖ s in hex over the signed text. Checked with GmSSL and OpenSSL."""

import gmssl_pyx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

SM2, ECDSA_P256 = "SM2-SM3", "ECDSA-P256-SHA256"
KINDS = (SM2, ECDSA_P256)


def holds(kind: str, public: bytes, text: bytes, signature: str) -> bool:
    """False for anything that cannot be a signature."""
    try:
        value = bytes.fromhex(signature)
    except ValueError:
        return False
    if len(value) != 64 or len(public) != 65:
        return False
    return sm2_holds(public, text, value) if kind == SM2 else ecdsa_holds(public, text, value)


def sm2_holds(public: bytes, text: bytes, signature: bytes) -> bool:
    """GB/T 32918.2 with the id of GB/T 35276."""
    try:
        return bool(gmssl_pyx.sm2_verify(public[1:], text, _der(signature)))
    except (gmssl_pyx.GmsslInnerError, gmssl_pyx.InvalidValueError):
        return False


def ecdsa_holds(public: bytes, text: bytes, signature: bytes) -> bool:
    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public)
        key.verify(_der(signature), text, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _der(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
