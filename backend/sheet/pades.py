"""PAdES signatures with a key that is elsewhere (pyHanko). Blocking work runs in a thread, calls to the CA in our loop.

Every signature has a time stamp. The last one puts certificates and revocation lists into what it signs (B-LT), so that
the sheet proves itself when the CA is gone and the last signature covers every byte of the file: a verifier needs no theory
of which later changes are harmless, there are none. The first certifies the document: nothing but filling in the other
signature is allowed afterwards.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from asn1crypto import cms, core, crl, tsp, x509
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import attributes, fields, signers
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from backend.outside.ca import Authorities
from backend.sheet import render
from backend.sheet.fields import Field
from backend.sheet.statement import OID

logging.getLogger("pyhanko.sign.signers.pdf_signer").setLevel(logging.ERROR)
"""It warns each time that nothing is fetched; nothing is meant to be: what it needs is given to it."""

T = TypeVar("T")
BEFORE_SIGNING = DSSContentSettings(
    include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
)
LONGEST_CMS = 12_288
"""Bytes kept free for a signature with its time stamp: asking for a dummy stamp first would double the calls."""


@dataclass(frozen=True)
class Order:
    """One signature to be made in `field`; `create` are the fields the file does not have yet, `last` closes it."""

    field: Field
    reason: str
    name: str
    at: datetime
    shown_at: str
    statement: bytes
    create: tuple[Field, ...] = ()
    last: bool = False


@dataclass(frozen=True)
class Remote:
    """Whoever holds the key and the clock; the functions run in the caller's loop."""

    certificate: bytes
    authorities: Authorities
    sign: Callable[[bytes], Coroutine[Any, Any, bytes]]
    stamp: Callable[[bytes], Coroutine[Any, Any, bytes]]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    async def ask(self, made: Coroutine[Any, Any, T]) -> T:
        """From the thread's loop into the caller's."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(made, self.loop))


async def sign(pdf: bytes, order: Order, remote: Remote) -> bytes:
    """`pdf` with one signature more, as an incremental update."""
    return await asyncio.to_thread(lambda: asyncio.run(_sign(pdf, order, remote)))


async def _sign(pdf: bytes, order: Order, remote: Remote) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    for one in order.create:
        fields.append_signature_field(writer, fields.SigFieldSpec(one.name, on_page=0, box=one.box))
    known = remote.authorities
    metadata = signers.PdfSignatureMetadata(
        field_name=order.field.name, md_algorithm="sha256", reason=order.reason, name=order.name,
        subfilter=fields.SigSeedSubFilter.PADES, certify=bool(order.create),
        docmdp_permissions=fields.MDPPerm.FILL_FORMS, embed_validation_info=order.last,
        dss_settings=BEFORE_SIGNING, validation_context=trust(known, order.at),
    )  # fmt: skip
    signer = RemoteSigner(remote.certificate, known, order.statement, remote)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "stamp.pdf"
        page.write_bytes(render.stamp(order.name, order.shown_at))
        style = StaticStampStyle(background=ImportedPdfPage(str(page)), background_opacity=1, border_width=0)
        pdf_signer = signers.PdfSigner(metadata, signer, timestamper=RemoteStamper(remote), stamp_style=style)
        out = await pdf_signer.async_sign_pdf(
            writer, existing_fields_only=True, bytes_reserved=2 * LONGEST_CMS
        )
    return bytes(out.getvalue())


def trust(known: Authorities, at: datetime) -> ValidationContext:
    """The CA's root and everything needed to reach it; nothing is fetched."""
    return ValidationContext(
        trust_roots=[_certificate(known.root)],
        other_certs=[_certificate(known.issuing), _certificate(known.time_stamping)], moment=at, allow_fetching=False,
        revocation_mode="hard-fail", retroactive_revinfo=True,
        crls=[crl.CertificateList.load(one) for one in (known.revoked, known.authorities_revoked)],
    )  # fmt: skip


class RemoteSigner(signers.Signer):
    """Asks whoever holds the key."""

    def __init__(self, certificate: bytes, known: Authorities, statement: bytes, remote: Remote) -> None:
        registry = SimpleCertificateStore()
        registry.register_multiple([_certificate(known.issuing)])
        super().__init__(signing_cert=_certificate(certificate), cert_registry=registry, embed_roots=False)
        self.signed_attr_prov_spec = _Attributes(_certificate(certificate), statement)
        self._remote = remote

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """By the CA; a dry run is only measured."""
        return bytes(72) if dry_run else await self._remote.ask(self._remote.sign(data))


class _Attributes(attributes.SignedAttributeProviderSpec):
    def __init__(self, certificate: x509.Certificate, statement: bytes) -> None:
        self._certificate, self._statement = certificate, statement

    def signed_attr_providers(
        self, data_digest: bytes, digest_algorithm: str
    ) -> Iterable[attributes.CMSAttributeProvider]:
        """What PAdES asks for (EN 319 142-1 section 6.3), and our statement."""
        return (attributes.SigningCertificateV2Provider(self._certificate), _Said(self._statement))


class _Said(attributes.CMSAttributeProvider):
    attribute_type = OID

    def __init__(self, statement: bytes) -> None:
        self._statement = statement

    async def get_attribute(self, dry_run: bool = False) -> cms.CMSAttribute:
        """An attribute of a type asn1crypto does not know."""
        return cms.CMSAttribute({"type": OID, "values": [core.Any(core.OctetString(self._statement))]})


class RemoteStamper(TimeStamper):
    """Asks the CA's service."""

    def __init__(self, remote: Remote) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._remote = remote

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """By the CA's service."""
        return tsp.TimeStampResp.load(await self._remote.ask(self._remote.stamp(req.dump())))


def _certificate(der: bytes) -> x509.Certificate:
    return x509.Certificate.load(der)
