"""Seals on statements: SM2 over SM3, or ECDSA over P-256 and SHA-256, with the certificate of who signed. The seal names which.

A root alone proves nothing: it also vouches for machines of the other side. The certificate must name the signer.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from foundation.certificates import identity_of
from foundation.suites import Signer as Key
from foundation.suites import signer, suite
from foundation.suites.certified import issued_by, key_of
from foundation.suites.points import from_der, to_der

ALGORITHMS = {suite(name).signing: written for name, written in (
    ("commercial", "sm2-sm3"), ("international", "ecdsa-p256-sha256"),
)}  # fmt: skip
"""By what the suites call them, as a seal writes them."""


class Seal(msgspec.Struct, frozen=True):
    """`certificate` is PEM, `value` the DER signature in base64."""

    algorithm: str
    certificate: str
    value: str


@dataclass(frozen=True)
class Signer:
    """Our key, wherever it lies, and its certificate."""

    certificate: x509.Certificate
    key: Key = field(repr=False)

    def seal(self, data: bytes) -> Seal:
        """A seal on exactly these bytes."""
        value = to_der(self.key.sign(data))
        pem = self.certificate.public_bytes(Encoding.PEM).decode()
        return Seal(ALGORITHMS[self.key.algorithm], pem, base64.b64encode(value).decode())


@dataclass(frozen=True)
class Trust:
    """Whose seals we believe: certificates that `root` signed for `identity`, a URI."""

    root: x509.Certificate
    identity: str

    def problem(self, data: bytes, seal: Seal, at: datetime) -> str:
        """Why this seal is not theirs on `data` at the instant `at`; empty when it is."""
        if seal.algorithm not in ALGORITHMS.values():
            return f"unknown algorithm {seal.algorithm[:40]}"
        try:
            certificate = x509.load_pem_x509_certificate(seal.certificate.encode())
            known = issued_by(certificate, self.root)
        except (ValueError, TypeError):
            known = False
        if not known:
            return "the certificate is not of the signer's root"
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            return "the certificate was not valid at that time"
        if identity_of(certificate) != self.identity:
            return "the certificate names somebody else"
        return "" if _signed(certificate, data, seal) else "the signature does not fit the text"


def _signed(certificate: x509.Certificate, data: bytes, seal: Seal) -> bool:
    try:
        its, point = key_of(certificate)
        value = from_der(base64.b64decode(seal.value, validate=True))
    except (ValueError, TypeError, OverflowError):
        return False
    return ALGORITHMS[its.signing] == seal.algorithm and its.verify(point, data, value)


def read_signer(certificate: Path, key: str, pin: str = "", module: str = "") -> Signer:
    """A PEM file, and a key where `foundation.suites.signer` finds it; `ValueError` when they do not belong together."""
    found, held = x509.load_pem_x509_certificate(certificate.read_bytes()), signer(key, pin, module)
    its, point = key_of(found)
    if (its.signing, point) != (held.algorithm, held.public):
        raise ValueError("the seal's key and certificate do not belong together")
    return Signer(found, held)


def read_trust(root: Path, identity: str) -> Trust:
    """From a PEM file."""
    return Trust(x509.load_pem_x509_certificate(root.read_bytes()), identity)


def seal_of(value: Any) -> Seal:
    """A seal from JSON; `msgspec.ValidationError` when it is none."""
    return msgspec.convert(value, Seal)
