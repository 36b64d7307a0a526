"""Certificates and neighbours, for the page that the licence asks for: who is connected, by which certificate, until when."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from prometheus_client import Gauge
from sqlalchemy import func, select

from contracts.supervision_desk import CertificateView, Connections, Reach
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.tls import client_context
from regulator_adapter.days.model import Statement
from regulator_adapter.days.seals import identity_of
from regulator_adapter.model import Submission
from regulator_adapter.settings import Settings

DAYS_LEFT = Gauge("regulator_certificate_days", "days until a certificate ends", ["what"])
REACHABLE = Gauge("regulator_gateway_up", "whether a gateway answers the handshake", ["gateway"])
SECONDS = 3.0


@dataclass(frozen=True)
class Watch:
    """What is looked at. `files` are our own certificates by what they are for."""

    db: Database
    files: Sequence[tuple[str, Path]]
    gateways: Sequence[str]
    tls: ssl.SSLContext

    @classmethod
    def of(cls, settings: Settings, db: Database) -> "Watch":
        """Everything the settings name."""
        named = (
            ("上报适配器（对前置机）", settings.tls_cert),
            ("上报适配器（对平台后端）", settings.server_cert),
            ("日结签章（本院）", settings.seal_cert),
            ("院方根证书", settings.tls_root),
            ("监管平台签章根证书", settings.platform_seal_root),
        )
        files = tuple((what, path) for what, path in named if path is not None)
        tls = client_context(settings.tls_cert, settings.tls_key, settings.tls_root)
        return cls(db, files, settings.gateway_urls, tls)

    async def look(self) -> Connections:
        """Looked up now; handshakes side by side, three seconds at most."""
        now = self.db.clock.now()
        certificates = [_of_file(what, path, now) for what, path in self.files]
        found = await asyncio.gather(
            *(self._knock(f"前置机 {at}", url, now) for at, url in enumerate(self.gateways, 1))
        )
        certificates += [certificate for _, certificate in found if certificate is not None]
        accepted, seal, skew, at = await self._platform()
        if seal:
            certificates.append(
                _view("日结签章（监管平台）", x509.load_pem_x509_certificate(seal.encode()), now)
            )
        for one in certificates:
            if one.days_left is not None:
                DAYS_LEFT.labels(one.what).set(one.days_left)
        for reach, _ in found:
            REACHABLE.labels(reach.what).set(reach.reachable)
        return Connections(now, certificates, [reach for reach, _ in found], accepted, skew, at)

    async def _knock(self, what: str, url: str, now: datetime) -> tuple[Reach, CertificateView | None]:
        """A handshake: nothing is asked, so nothing is written down on the other side."""
        parts, began = urlsplit(url), time.monotonic()
        host, port = parts.hostname or "", parts.port or 443
        address = f"{host}:{port}"
        try:
            async with asyncio.timeout(SECONDS):
                _, writer = await asyncio.open_connection(host, port, ssl=self.tls)
        except (OSError, TimeoutError) as error:  # a refused certificate is an OSError too
            return Reach(what, address, False, 0, _why(error)), None
        milliseconds = int((time.monotonic() - began) * 1000)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        certificate = _view(what, x509.load_der_x509_certificate(der), now) if der else None
        return Reach(what, address, True, milliseconds, ""), certificate

    async def _platform(self) -> tuple[datetime | None, str, int | None, datetime | None]:
        """Last accepted record, the platform's seal certificate, and how far its clock was ahead when it last stated a day."""
        async with unit_of_work(self.db) as session:
            ours = Submission.hospital_id == hospital_id()
            accepted = await session.scalar(select(func.max(Submission.accepted_at)).where(ours))
            query = (
                select(Statement.theirs, Statement.their_seal, Statement.exchanged_at)
                .where(Statement.hospital_id == hospital_id(), Statement.theirs != "")
                .order_by(Statement.exchanged_at.desc())
                .limit(1)
            )
            row = (await session.execute(query)).first()
        if row is None:
            return accepted, "", None, None
        stated = msgspec.json.decode(row.theirs, type=_Stated).statedAt
        skew = int((stated - row.exchanged_at).total_seconds())
        return accepted, str(row.their_seal["certificate"]), skew, row.exchanged_at


class _Stated(msgspec.Struct):
    statedAt: datetime  # noqa: N815 - as the platform spells it


def _of_file(what: str, path: Path, now: datetime) -> CertificateView:
    try:
        return _view(what, x509.load_pem_x509_certificate(path.read_bytes()), now)
    except (OSError, ValueError) as error:
        return CertificateView(what, "", "", "", None, None, f"证书文件不能读取（{type(error).__name__}）")


def _view(what: str, certificate: x509.Certificate, now: datetime) -> CertificateView:
    ends = certificate.not_valid_after_utc
    left = (ends - now).days
    problem = "已过期" if ends <= now else "尚未生效" if certificate.not_valid_before_utc > now else ""
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return CertificateView(what, subject, identity_of(certificate), issuer, ends, left, problem)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"对方证书不可信：{error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "握手被拒绝"
    return "超时" if isinstance(error, TimeoutError) else "连接不上"
