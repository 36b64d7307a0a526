"""Revocation lists (RFC 5280 section 5): made anew for each who asks."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from simulators.ca.certificates import Signer

VALID = timedelta(days=7)


def of(issuer: Signer, revoked: Iterable[tuple[str, float]], now: datetime) -> bytes:
    """DER; `revoked` has serials in hex with the moment of each."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + VALID)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    for serial, at in revoked:
        entry = x509.RevokedCertificateBuilder(int(serial, 16), datetime.fromtimestamp(at, UTC))
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
