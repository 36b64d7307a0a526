"""Two roots and the seals they vouch for, as an installation has them: the hospital's and the platform's."""

from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from regulator_adapter.days.seals import Signer, Trust
from standalone.issue import Authority, Leaf

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Three days after the events of `tests.builders.events`."""
HOSPITAL, PLATFORM = "spiffe://internet-hospital/adapter-seal", "spiffe://internet-hospital/supervision-seal"


@cache
def root(name: str) -> Authority:
    """One of several authorities."""
    return Authority.make(name, NOW)


@cache
def signer(authority: str, identity: str) -> Signer:
    """A key that `authority` vouches for under `identity`."""
    leaf = Leaf(identity.rsplit("/", 1)[1], server=False, client=False)
    certificate, key = root(authority).issue(leaf, identity, (), NOW)
    private = load_pem_private_key(key, password=None)
    return Signer(x509.load_pem_x509_certificate(certificate), private)  # type: ignore[arg-type]


def trust(authority: str, identity: str) -> Trust:
    """Who believes such seals."""
    return Trust(root(authority).certificate, identity)


def hospital() -> Signer:
    """The hospital's seal."""
    return signer("hospital", HOSPITAL)


def platform() -> Signer:
    """The platform's seal."""
    return signer("platform", PLATFORM)
