"""Whether what the CA shows leads to the root we were given: certificates, revocation lists; over P-256 and over SM2."""

from datetime import datetime
from typing import Any

from asn1crypto import crl, pem, x509

from backend.outside.ca_algorithms import ALGORITHMS


class UntrustedError(Exception):
    """It does not lead to our root; the words say why, for the log."""


def check_certificate(certificate: bytes, issuing: bytes, root: bytes, at: datetime) -> None:
    """`certificate` comes from `issuing`, that from `root` (all DER), and both are within their days. `UntrustedError`."""
    holder, authority, anchor = (_loaded(one) for one in (certificate, issuing, root))
    _check_link(authority, anchor, at)
    _check_link(holder, authority, at)
    if holder.key_usage_value is None or "non_repudiation" not in holder.key_usage_value.native:
        raise UntrustedError("a certificate that is not for signatures")


def check_authority(certificate: bytes, root: bytes, at: datetime) -> None:
    """`certificate` comes from `root` and is within its days. `UntrustedError`."""
    _check_link(_loaded(certificate), _loaded(root), at)


def check_list(revoked: bytes, issuer: bytes, at: datetime) -> None:
    """The revocation list is its issuer's and is not outdated. `UntrustedError`."""
    try:
        found, authority = crl.CertificateList.load(revoked, strict=True), _loaded(issuer)
        body = found["tbs_cert_list"]
        if body["issuer"] != authority.subject or not _signed(
            authority, found["signature"].native, body.dump()
        ):
            raise UntrustedError("a revocation list of somebody else")
        if body["next_update"].native < at:
            raise UntrustedError("an outdated revocation list")
    except (ValueError, TypeError, KeyError) as error:
        raise UntrustedError("a revocation list that cannot be read") from error


def is_revoked(certificate: bytes, revoked: bytes) -> bool:
    """Whether the list, which was checked, names the certificate."""
    serial = _loaded(certificate).serial_number
    entries = crl.CertificateList.load(revoked, strict=True)["tbs_cert_list"]["revoked_certificates"]
    return any(one["user_certificate"].native == serial for one in entries)


def _check_link(certificate: Any, issuer: Any, at: datetime) -> None:
    try:
        if certificate.issuer != issuer.subject or not issuer.ca:
            raise UntrustedError("a certificate of another authority")
        body, value = certificate["tbs_certificate"].dump(), certificate["signature_value"].native
        if not _signed(issuer, value, body):
            raise UntrustedError("a certificate that its authority did not sign")
        if not certificate.not_valid_before <= at <= certificate.not_valid_after:
            raise UntrustedError("a certificate outside its days")
    except (ValueError, TypeError, KeyError) as error:
        raise UntrustedError("a certificate that cannot be read") from error


def _signed(issuer: Any, value: bytes, data: bytes) -> bool:
    """By the algorithm of the issuer's key: each of ours refuses the other's."""
    armoured = pem.armor("CERTIFICATE", issuer.dump()).decode()
    return any(one.verify(armoured, data, value) for one in ALGORITHMS.values())


def _loaded(der: bytes) -> Any:
    try:
        return x509.Certificate.load(der, strict=True)
    except (ValueError, TypeError) as error:
        raise UntrustedError("no certificate") from error
