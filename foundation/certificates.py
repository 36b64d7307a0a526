"""Certificates as people have to see them: whose, from whom, until when; and whether a neighbour answers with his."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

HANDSHAKE_SECONDS = 3.0


@dataclass(frozen=True)
class Seen:
    """A certificate; `identity` is its URI name, empty when it has none."""

    subject: str
    identity: str
    issuer: str
    not_before: datetime
    not_after: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days, negative when it has ended."""
        return (self.not_after - now).days

    def problem(self, now: datetime) -> str:
        """Why it does not hold at `now`, in Chinese; empty when it does."""
        return "已过期" if self.not_after <= now else "尚未生效" if self.not_before > now else ""


@dataclass(frozen=True)
class Knock:
    """What came of a handshake; `problem` in Chinese when nobody answered."""

    address: str
    milliseconds: int
    problem: str
    certificate: Seen | None

    @property
    def reachable(self) -> bool:
        """Whether the handshake went through."""
        return not self.problem


def seen(certificate: x509.Certificate) -> Seen:
    """Of a parsed certificate."""
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    before, after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Seen(subject, identity_of(certificate), issuer, before, after)


def seen_in(path: Path) -> Seen:
    """Of the first certificate of a PEM file; `OSError`, `ValueError`."""
    return seen(x509.load_pem_x509_certificate(path.read_bytes()))


def identity_of(certificate: x509.Certificate) -> str:
    """The URI name of a certificate, empty when it has none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "")


async def knock(url: str, tls: ssl.SSLContext) -> Knock:
    """A handshake and no more: nothing is asked, so nothing is written down on the other side."""
    parts, began = urlsplit(url), time.monotonic()
    host, port = parts.hostname or "", parts.port or 443
    address = f"{host}:{port}"
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=tls)
    except (OSError, TimeoutError) as error:  # a refused certificate is an OSError too
        return Knock(address, 0, _why(error), None)
    milliseconds = int((time.monotonic() - began) * 1000)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return Knock(address, milliseconds, "", seen(x509.load_der_x509_certificate(der)) if der else None)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"对方证书不可信：{error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "握手被拒绝"
    return "超时" if isinstance(error, TimeoutError) else "连接不上"
