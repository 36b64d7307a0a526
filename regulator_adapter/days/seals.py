"""Seals on statements: ECDSA over P-256 and SHA-256, with the certificate of who signed.

A root alone proves nothing: it also vouches for machines of the other side. The certificate must name the signer.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from foundation.certificates import identity_of

ALGORITHM = "ecdsa-p256-sha256"


class Seal(msgspec.Struct, frozen=True):
    """`certificate` is PEM, `value` the DER signature in base64."""

    algorithm: str
    certificate: str
    value: str


@dataclass(frozen=True)
class Signer:
    """Our key and its certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def seal(self, data: bytes) -> Seal:
        """A seal on exactly these bytes."""
        value = self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        pem = self.certificate.public_bytes(Encoding.PEM).decode()
        return Seal(ALGORITHM, pem, base64.b64encode(value).decode())


@dataclass(frozen=True)
class Trust:
    """Whose seals we believe: certificates that `root` signed for `identity`, a URI."""

    root: x509.Certificate
    identity: str

    def problem(self, data: bytes, seal: Seal, at: datetime) -> str:
        """Why this seal is not theirs on `data` at the instant `at`; empty when it is."""
        if seal.algorithm != ALGORITHM:
            return f"unknown algorithm {seal.algorithm[:40]}"
        try:
            certificate = x509.load_pem_x509_certificate(seal.certificate.encode())
            value = base64.b64decode(seal.value, validate=True)
            certificate.verify_directly_issued_by(self.root)
        except (ValueError, TypeError, InvalidSignature):
            return "the certificate is not of the signer's root"
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            return "the certificate was not valid at that time"
        if identity_of(certificate) != self.identity:
            return "the certificate names somebody else"
        return "" if _signed(certificate, data, value) else "the signature does not fit the text"


def _signed(certificate: x509.Certificate, data: bytes, value: bytes) -> bool:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(value, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def read_signer(certificate: Path, key: Path) -> Signer:
    """From PEM files; `ValueError` when they are not a P-256 pair."""
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    private = load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
        raise ValueError("the seal's key and certificate do not belong together")
    return Signer(found, private)


def read_trust(root: Path, identity: str) -> Trust:
    """From a PEM file."""
    return Trust(x509.load_pem_x509_certificate(root.read_bytes()), identity)


def seal_of(value: Any) -> Seal:
    """A seal from JSON; `msgspec.ValidationError` when it is none."""
    return msgspec.convert(value, Seal)
