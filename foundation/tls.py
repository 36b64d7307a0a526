"""Mutual TLS between processes: contexts, and who the other side really is.

An identity is the URI SAN of the certificate (`spiffe://internet-hospital/<process>`), never merely
"some certificate of our root".
"""

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def server_context(certificate: Path, key: Path, client_root: Path) -> ssl.SSLContext:
    """TLS 1.2+ server that demands a client certificate of `client_root`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client_root)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def web_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2+ server for browsers, which show no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def client_context(certificate: Path, key: Path, server_root: Path) -> ssl.SSLContext:
    """TLS 1.2+ client that shows `certificate` and trusts only `server_root`, host name checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(server_root)
    return context


def uri_identity(peer: dict[str, Any] | None) -> str:
    """The URI SAN of `getpeercert()`'s dictionary; empty when there is none."""
    names: Iterable[tuple[str, str]] = (peer or {}).get("subjectAltName", ())
    return next((value for kind, value in names if kind == "URI"), "")
