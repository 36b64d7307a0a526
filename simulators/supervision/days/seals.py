"""ECDSA seals (P-256, SHA-256): ours on what we state, the hospital's on what it states."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import (
    Certificate,
    ExtensionNotFound,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    load_pem_x509_certificate,
)

NAME = "ecdsa-p256-sha256"


class NotTheirsError(ValueError):
    """The seal is not the hospital's; the message says why."""


class Sealer:
    """The platform's own key."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._pem = certificate.read_text(encoding="ascii")
        loaded = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(loaded, EllipticCurvePrivateKey):
            raise TypeError(f"{key} is no key of an elliptic curve")
        self._key = loaded

    def seal(self, text: str, *, forged: bool = False) -> dict[str, str]:
        """`forged`: with a key that does not belong to the certificate, as a fault on demand."""
        key = generate_private_key(SECP256R1()) if forged else self._key
        value = key.sign(text.encode("utf-8"), ECDSA(SHA256()))
        return {"algorithm": NAME, "certificate": self._pem, "value": base64.b64encode(value).decode("ascii")}


class HospitalSeal:
    """Checks what the hospital sealed: its certificate comes from `root` and carries the URI `name`."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = load_pem_x509_certificate(root.read_bytes())
        self._name = name

    def check(self, text: str, seal: Any, now: datetime) -> None:
        """Raises NotTheirsError."""
        if not isinstance(seal, Mapping) or seal.get("algorithm") != NAME:
            raise NotTheirsError("algorithm")
        try:
            certificate = load_pem_x509_certificate(str(seal.get("certificate")).encode())
            certificate.verify_directly_issued_by(self._root)
            value = base64.b64decode(str(seal.get("value")), validate=True)
        except (ValueError, TypeError, binascii.Error, InvalidSignature):
            raise NotTheirsError("certificate") from None
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise NotTheirsError("certificate expired")
        if self._name not in _names(certificate):
            raise NotTheirsError("certificate of another")
        key = certificate.public_key()
        if not isinstance(key, EllipticCurvePublicKey):
            raise NotTheirsError("key")
        try:
            key.verify(value, text.encode("utf-8"), ECDSA(SHA256()))
        except InvalidSignature:
            raise NotTheirsError("signature") from None


def _names(certificate: Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return []
    return list(names.get_values_for_type(UniformResourceIdentifier))
