"""Who the other side of a connection is: exactly one URI name in its certificate, or nobody (SPIFFE's rule)."""

from typing import Any

from foundation.tls import uri_identity


def identity_of(peer: dict[str, Any] | None) -> str:
    """The URI SAN of `getpeercert()`'s dictionary; empty when there is none, or more than one to choose from."""
    names = (peer or {}).get("subjectAltName", ())
    return uri_identity(peer) if sum(kind == "URI" for kind, _ in names) == 1 else ""
