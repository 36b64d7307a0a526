"""Seals by ECDSA (P-256, SHA-256) or SM2 (SM3): ours on what we state, the hospital's on what it states."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
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

from simulators.supervision.days import sm2_seals

NAME = "ecdsa-p256-sha256"


class NotTheirsError(ValueError):
    """The seal is not the hospital's; the message says why."""


class Sealer:
    """The platform's own key."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._pem = certificate.read_text(encoding="ascii")
        self._sm2 = sm2_seals.Key.read(key.read_bytes())
        self._key: EllipticCurvePrivateKey | None = None
        if self._sm2 is None:
            loaded = load_pem_private_key(key.read_bytes(), None)
            if not isinstance(loaded, EllipticCurvePrivateKey):
                raise TypeError(f"{key} is no key of an elliptic curve")
            self._key = loaded

    def seal(self, text: str, *, forged: bool = False) -> dict[str, str]:
        """`forged`: with a key that does not belong to the certificate, as a fault on demand."""
        if self._sm2 is not None:
            name, value = (
                sm2_seals.NAME,
                (sm2_seals.Key.new() if forged else self._sm2).sign(text.encode("utf-8")),
            )
        else:
            key = generate_private_key(SECP256R1()) if forged or self._key is None else self._key
            name, value = NAME, key.sign(text.encode("utf-8"), ECDSA(SHA256()))
        return {"algorithm": name, "certificate": self._pem, "value": base64.b64encode(value).decode("ascii")}


class HospitalSeal:
    """Checks what the hospital sealed: its certificate comes from `root` and carries the URI `name`."""

    def __init__(self, root: Path, name: str) -> None:
        self._root_pem = root.read_bytes()
        self._root = load_pem_x509_certificate(self._root_pem)
        self._name = name

    def check(self, text: str, seal: Any, now: datetime) -> None:
        """Raises NotTheirsError."""
        if not isinstance(seal, Mapping) or seal.get("algorithm") not in (NAME, sm2_seals.NAME):
            raise NotTheirsError("algorithm")
        pem = str(seal.get("certificate")).encode()
        try:
            certificate = load_pem_x509_certificate(pem)
            value = base64.b64decode(str(seal.get("value")), validate=True)
            issued = self._issued(certificate, pem)
        except (ValueError, TypeError, binascii.Error):
            raise NotTheirsError("certificate") from None
        if not issued:
            raise NotTheirsError("certificate")
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise NotTheirsError("certificate expired")
        if self._name not in _names(certificate):
            raise NotTheirsError("certificate of another")
        if seal["algorithm"] == NAME:
            _by_ecdsa(certificate, value, text)
            return
        point = sm2_seals.point(sm2_seals.read(pem))
        if point is None:
            raise NotTheirsError("key")
        if not sm2_seals.holds(point, text.encode("utf-8"), value):
            raise NotTheirsError("signature")

    def _issued(self, certificate: Certificate, pem: bytes) -> bool:
        if certificate.signature_algorithm_oid.dotted_string == sm2_seals.SIGNED_SO:
            return sm2_seals.issued(sm2_seals.read(pem), sm2_seals.read(self._root_pem))
        try:
            certificate.verify_directly_issued_by(self._root)
        except (InvalidSignature, UnsupportedAlgorithm):
            return False
        return True


def _by_ecdsa(certificate: Certificate, value: bytes, text: str) -> None:
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        raise NotTheirsError("key") from None
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
