"""Certificates and neighbours, for the page that the licence asks for: who is connected, by which certificate, until when."""

import asyncio
import base64
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from prometheus_client import Gauge
from sqlalchemy import func, select

from contracts.supervision_desk import CertificateView, Connections, Reach
from foundation.certificates import Seen, knock, seen, seen_in
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.tls import client_context
from regulator_adapter.days.model import Statement
from regulator_adapter.desk.reading import LATELY
from regulator_adapter.model import Submission
from regulator_adapter.settings import Settings

DAYS_LEFT = Gauge("regulator_certificate_days", "days until a certificate ends", ["what"])
REACHABLE = Gauge("regulator_gateway_up", "whether a gateway answers the handshake", ["gateway"])


@dataclass(frozen=True)
class Watch:
    """What is looked at. `files` are our own certificates by what they are for."""

    db: Database
    files: Sequence[tuple[str, Path]]
    gateways: Sequence[str]
    tls: ssl.SSLContext
    shown: Callable[[], str] = str

    @classmethod
    def of(cls, settings: Settings, db: Database, shown: Callable[[], str]) -> "Watch":
        """Everything the settings name; `shown` is the platform's certificate as a gateway told it last, DER in base64."""
        named = (
            ("上报适配器（对前置机）", settings.tls_cert),
            ("上报适配器（对平台后端）", settings.server_cert),
            ("日结签章（本院）", settings.seal_cert),
            ("院方根证书", settings.tls_root),
            ("监管平台签章根证书", settings.platform_seal_root),
        )
        files = tuple((what, path) for what, path in named if path is not None)
        tls = client_context(settings.tls_cert, settings.tls_key, settings.tls_root)
        return cls(db, files, settings.gateway_urls, tls, shown)

    async def look(self) -> Connections:
        """Looked up now; handshakes side by side, three seconds at most."""
        now = self.db.clock.now()
        certificates = [_of_file(what, path, now) for what, path in self.files]
        knocks = await asyncio.gather(*(knock(url, self.tls) for url in self.gateways))
        found = [(f"前置机 {at}", one) for at, one in enumerate(knocks, 1)]
        certificates += [
            _view(what, one.certificate, now) for what, one in found if one.certificate is not None
        ]
        certificates += _shown(self.shown(), now)
        accepted, seal, skew, told_at = await self._platform()
        if seal:
            certificate = seen(x509.load_pem_x509_certificate(seal.encode()))
            certificates.append(_view("日结签章（监管平台）", certificate, now))
        for one in certificates:
            if one.days_left is not None:
                DAYS_LEFT.labels(one.what).set(one.days_left)
        neighbours = [
            Reach(what, at.address, at.reachable, at.milliseconds, at.problem) for what, at in found
        ]
        for reach in neighbours:
            REACHABLE.labels(reach.what).set(reach.reachable)
        return Connections(now, certificates, neighbours, accepted, skew, told_at)

    async def _platform(self) -> tuple[datetime | None, str, int | None, datetime | None]:
        """Last accepted record, the platform's seal certificate, and how far its clock was ahead when it last stated a day."""
        async with unit_of_work(self.db) as session:
            lately = Submission.occurred_at >= self.db.clock.now() - LATELY
            accepted = await session.scalar(
                select(func.max(Submission.accepted_at)).where(
                    Submission.hospital_id == hospital_id(), lately
                )
            )
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
        return _view(what, seen_in(path), now)
    except (OSError, ValueError) as error:
        return CertificateView(what, "", "", "", None, None, f"证书文件不能读取（{type(error).__name__}）")


def _shown(told: str, now: datetime) -> list[CertificateView]:
    """The platform's own, as its gateways see it; nothing before the first answer of this process."""
    what = "监管平台（对前置机）"
    try:
        return (
            [_view(what, seen(x509.load_der_x509_certificate(base64.b64decode(told))), now)] if told else []
        )
    except ValueError:
        return [CertificateView(what, "", "", "", None, None, "前置机转来的证书不能读取")]


def _view(what: str, one: Seen, now: datetime) -> CertificateView:
    left = one.days_left(now)
    return CertificateView(what, one.subject, one.identity, one.issuer, one.not_after, left, one.problem(now))
