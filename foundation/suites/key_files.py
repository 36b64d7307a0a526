"""Private keys in PEM files (PKCS#8, not encrypted: the file's mode guards it), over SM2 or P-256; the curve is named inside."""

from pathlib import Path
from typing import Any

from asn1crypto import keys, pem
from cryptography.hazmat.primitives.asymmetric import ec

from foundation.suites.commercial import CURVE, Sm2Signer
from foundation.suites.international import EcdsaSigner
from foundation.suites.port import Signer

_PKCS8_SM2 = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_PUBLIC = bytes.fromhex("a144034200")
"""PKCS#8 of a key over SM2 up to its 32 bytes, and what stands between them and the point: all lengths are fixed."""


def read_signer(path: str) -> Signer:
    """The key in the file; `ValueError` in one line, which never shows what is in it."""
    name = Path(path).name
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: {type(error).__name__}") from None
    try:
        curve, private, public = _opened(data)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ValueError(f"{name} is no private key in PKCS#8 over an elliptic curve") from None
    if curve == CURVE:
        if len(public) != 65:
            raise ValueError(f"{name} does not have its public point beside the private key")
        return Sm2Signer(public, private.to_bytes(32))
    if curve == "secp256r1":
        return EcdsaSigner(ec.derive_private_key(private, ec.SECP256R1()))
    raise ValueError(f"{name} is a key over {curve}; SM2 and P-256 are known")


def sm2_pem(private: bytes, public: bytes) -> bytes:
    """A key of SM2 as PEM, for installations that make their own; 32 bytes, and the uncompressed point of 65."""
    if len(private) != 32 or len(public) != 65:
        raise ValueError("32 bytes of key and 65 of point are needed")
    return bytes(pem.armor("PRIVATE KEY", _PKCS8_SM2 + private + _PUBLIC + public))


def _opened(data: bytes) -> tuple[str, int, bytes]:
    """Curve, private number, uncompressed point (empty when the file has none)."""
    info: Any = keys.PrivateKeyInfo.load(pem.unarmor(data)[2])
    if info.algorithm != "ec":
        raise ValueError("not over an elliptic curve")
    inside = info["private_key"].parsed.native
    curve = info["private_key_algorithm"]["parameters"].native
    return str(curve), int(inside["private_key"]), bytes(inside["public_key"] or b"")
