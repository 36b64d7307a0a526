"""Signatures and points as bytes: r ‖ s of 64 bytes in and out, whatever a library wants inside."""

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

HALF = 32


def to_der(signature: bytes) -> bytes:
    """r ‖ s as the DER sequence that libraries take; `ValueError` when it is not 64 bytes."""
    if len(signature) != 2 * HALF:
        raise ValueError(f"a signature is {2 * HALF} bytes, this one {len(signature)}")
    return encode_dss_signature(int.from_bytes(signature[:HALF]), int.from_bytes(signature[HALF:]))


def from_der(signature: bytes) -> bytes:
    """The other way."""
    r, s = decode_dss_signature(signature)
    return r.to_bytes(HALF) + s.to_bytes(HALF)
