"""Root, issuing authority and time-stamp service: made on first start, then read from their files."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from simulators.ca import certificates
from simulators.ca.certificates import Signer


@dataclass(frozen=True)
class Authorities:
    root: Signer
    issuing: Signer
    time_stamping: Signer


def open_or_make(folder: Path, now: datetime) -> Authorities:
    root = _one(folder, "root", lambda: certificates.root(now))
    issuing = _one(folder, "issuing", lambda: certificates.issuing(root, now))
    return Authorities(root, issuing, _one(folder, "tsa", lambda: certificates.time_stamping(root, now)))


def _one(folder: Path, name: str, make: Callable[[], Signer]) -> Signer:
    key_file, certificate_file = folder / f"{name}.key", folder / f"{name}.pem"
    if not certificate_file.exists():  # written last: without it the rest of a broken first start is void
        made = make()
        _write(key_file, key_pem(made.key))
        _write(certificate_file, certificate_pem(made.certificate).encode())
        return made
    return Signer(load_key(key_file.read_bytes()), load_certificate(certificate_file.read_bytes()))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner only."""
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    half.replace(path)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def load_certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)
