"""Two roots and the seals they vouch for, as an installation has them: the hospital's and the platform's; the same over SM2."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import gmssl_pyx
from asn1crypto import keys
from asn1crypto import x509 as der
from asn1crypto.algos import SignedDigestAlgorithm
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from foundation.suites.commercial import CURVE, Sm2Signer
from foundation.suites.international import EcdsaSigner
from regulator_adapter.days.seals import Signer, Trust
from standalone.issue import Authority, Leaf

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Three days after the events of `tests.builders.events`."""
HOSPITAL, PLATFORM = "spiffe://internet-hospital/adapter-seal", "spiffe://internet-hospital/supervision-seal"
SM2_WITH_SM3 = "1.2.156.10197.1.501"


@cache
def root(name: str) -> Authority:
    """One of several authorities."""
    return Authority.make(name, NOW)


@cache
def issued(authority: str, identity: str) -> tuple[bytes, bytes]:
    """Certificate and key, PEM."""
    return root(authority).issue(
        Leaf(identity.rsplit("/", 1)[1], server=False, client=False), identity, (), NOW
    )


@cache
def signer(authority: str, identity: str) -> Signer:
    """A key that `authority` vouches for under `identity`."""
    certificate, key = issued(authority, identity)
    private = load_pem_private_key(key, password=None)
    return Signer(x509.load_pem_x509_certificate(certificate), EcdsaSigner(private))  # type: ignore[arg-type]


def trust(authority: str, identity: str) -> Trust:
    """Who believes such seals."""
    return Trust(root(authority).certificate, identity)


def hospital() -> Signer:
    """The hospital's seal."""
    return signer("hospital", HOSPITAL)


def platform() -> Signer:
    """The platform's seal."""
    return signer("platform", PLATFORM)


@dataclass(frozen=True)
class Sm2Key:
    """32 bytes, and the uncompressed point."""

    private: bytes
    public: bytes


@cache
def sm2_key(name: str) -> Sm2Key:
    """The same for the same name."""
    public, private = gmssl_pyx.sm2_key_generate()
    return Sm2Key(private, b"\x04" + public)


def sm2_certificate(like: x509.Certificate, key: Sm2Key, by: Sm2Key) -> x509.Certificate:
    """A certificate once more, with a key over SM2 and signed by one."""
    plain: Any = der.Certificate.load(like.public_bytes(Encoding.DER))
    algorithm, body = SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3}), plain["tbs_certificate"]
    body["signature"] = algorithm
    body["subject_public_key_info"] = keys.PublicKeyInfo(
        {
            "algorithm": {"algorithm": "ec", "parameters": keys.ECDomainParameters("named", CURVE)},
            "public_key": keys.ECPointBitString(key.public),
        }
    )
    plain["signature_algorithm"] = algorithm
    plain["signature_value"] = bytes(
        gmssl_pyx.sm2_sign(by.private, by.public[1:], body.dump(force=True), b"1234567812345678")
    )
    return x509.load_der_x509_certificate(plain.dump(force=True))


@cache
def sm2_root(authority: str) -> x509.Certificate:
    """An authority over SM2."""
    key = sm2_key(f"root:{authority}")
    return sm2_certificate(root(authority).certificate, key, key)


@cache
def sm2_signer(authority: str, identity: str) -> Signer:
    """A key over SM2 that such an authority vouches for."""
    like = x509.load_pem_x509_certificate(issued(authority, identity)[0])
    key = sm2_key(identity)
    certificate = sm2_certificate(like, key, sm2_key(f"root:{authority}"))
    return Signer(certificate, Sm2Signer(key.public, key.private))


def sm2_trust(authority: str, identity: str) -> Trust:
    """Who believes such seals."""
    return Trust(sm2_root(authority), identity)
