"""The same CA over SM2 with SM3: a second root, a second issuing authority, a second certificate per holder.

The second certificate has the serial and the days of the first, so that both end together. A certificate is one of `certificates.py` whose key, issuer and algorithm are exchanged (GM/T 0015 is RFC 5280 with these OIDs).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import gmssl_pyx
from asn1crypto import core, crl, keys, x509
from asn1crypto.algos import SignedDigestAlgorithm
from asn1crypto.pem import armor
from cryptography.hazmat.primitives.serialization import Encoding

from simulators.ca import certificates, revocations

CURVE, SM2_WITH_SM3 = "1.2.156.10197.1.301", "1.2.156.10197.1.501"
ROOT, ISSUING = "演示 CA 国密根证书", "演示 CA 国密签发证书"


@dataclass(frozen=True)
class Key:
    """32 bytes, and x ‖ y."""

    private: bytes
    public: bytes

    def sign(self, data: bytes) -> bytes:
        """DER, over SM3 of Z and the data."""
        return bytes(gmssl_pyx.sm2_sign(self.private, self.public, data))

    def sign_digest(self, digest: bytes) -> bytes:
        """DER, over what a customer has digested."""
        return bytes(gmssl_pyx.sm2_sign_sm3_digest(self.private, digest))


@dataclass(frozen=True)
class Signer:
    """A key with its certificate (DER)."""

    key: Key
    certificate: bytes

    @property
    def subject(self) -> Any:
        return x509.Certificate.load(self.certificate).subject


def new_key() -> Key:
    public, private = gmssl_pyx.sm2_key_generate()
    return Key(private, public)


def load_key(data: bytes) -> Key:
    return Key(data[:32], data[32:])


def stored(key: Key) -> bytes:
    return key.private + key.public


@dataclass(frozen=True)
class Authorities:
    """Root and issuing authority, made on first start, then read from their files."""

    root: Signer
    issuing: Signer


def open_or_make(folder: Path, now: datetime) -> Authorities:
    root = _one(folder, "sm2-root", None, ROOT, now)
    return Authorities(root, _one(folder, "sm2-issuing", root, ISSUING, now))


def _one(folder: Path, name: str, parent: Signer | None, common_name: str, now: datetime) -> Signer:
    key_file, file = folder / f"{name}.key", folder / f"{name}.der"
    if not file.exists():
        key = new_key()
        made = certificates.root(now) if parent is None else certificates.issuing(certificates.root(now), now)
        plain = x509.Certificate.load(made.certificate.public_bytes(Encoding.DER))
        plain["tbs_certificate"]["subject"] = _renamed(common_name)
        signer = parent or Signer(key, b"")
        issuer = plain["tbs_certificate"]["subject"] if parent is None else parent.subject
        _write(key_file, stored(key))
        _write(file, _certified(plain, key, signer.key, issuer))
    return Signer(load_key(key_file.read_bytes()), file.read_bytes())


def _write(path: Path, content: bytes) -> None:
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    half.replace(path)


def _renamed(common_name: str) -> Any:
    made = x509.Name.build(
        {"country_name": "CN", "organization_name": certificates.COMPANY, "common_name": common_name}
    )
    return x509.Name.load(made.dump())


def of_sister(certificate: bytes, key: Key, issuing: Signer) -> bytes:
    """The holder's certificate over P-256 (DER) once more, over SM2: same person, serial and days."""
    return _certified(x509.Certificate.load(certificate), key, issuing.key, issuing.subject)


def _certified(plain: Any, key: Key, by: Key, issuer: Any) -> bytes:
    algorithm = SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})
    body = plain["tbs_certificate"]
    body["signature"], body["issuer"] = algorithm, issuer
    body["subject_public_key_info"] = keys.PublicKeyInfo(
        {
            "algorithm": {"algorithm": "ec", "parameters": keys.ECDomainParameters("named", CURVE)},
            "public_key": keys.ECPointBitString(b"\x04" + key.public),
        }
    )
    points = {"key_identifier": key.public, "authority_key_identifier": by.public}
    for one in body["extensions"]:
        if (kind := one["extn_id"].native) in points:
            digest = bytes(gmssl_pyx.sm3_hash(points[kind]))[:20]
            value: Any = core.OctetString(digest)
            if kind == "authority_key_identifier":
                value = x509.AuthorityKeyIdentifier({"key_identifier": digest})
            one["extn_value"] = core.ParsableOctetString(value.dump())
    plain["signature_algorithm"] = algorithm
    plain["signature_value"] = by.sign(body.dump(force=True))
    return bytes(plain.dump(force=True))


def revocation_list(issuer: Signer, revoked: Iterable[tuple[str, float]], now: datetime) -> bytes:
    """DER, fresh."""
    root = certificates.root(now)
    plain = crl.CertificateList.load(revocations.of(root, revoked, now))
    algorithm = SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})
    body = plain["tbs_cert_list"]
    body["signature"], body["issuer"], plain["signature_algorithm"] = algorithm, issuer.subject, algorithm
    plain["signature"] = issuer.key.sign(body.dump(force=True))
    return bytes(plain.dump(force=True))


def pem(certificate: bytes) -> str:
    return bytes(armor("CERTIFICATE", certificate)).decode()
