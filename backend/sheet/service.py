"""Making a sheet as far as it is signed, and finding it again.

Typst and pyHanko are imported where a sheet is made: by the worker, not by each API process, which only looks sheets up.
"""

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asn1crypto.pem import unarmor
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.outside.ca_trust import is_revoked
from backend.sheet.fields import Field
from backend.sheet.model import Sheet
from backend.sheet.statement import encoded
from backend.shift.model import Shift
from backend.signature import service as signatures
from backend.signature.model import Signature
from foundation.canonical import sha256
from foundation.clock import local
from foundation.db.base import hospital_id
from foundation.db.intents import TryLater
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from foundation.ids import new_id


@dataclass(frozen=True)
class Signer:
    """One of those who sign: purpose of the signature row, field on the page, reason and verdict as the file says them."""

    purpose: str
    field: Field
    reason: str
    name: str
    verdict: str = ""


@dataclass(frozen=True)
class Order:
    """A sheet: whose, of which template, with which canonical content.

    `signers` in their order, as far as they are known; `fields` for all that may ever sign, because the first signature
    closes the page for new ones; `whole` when nobody is to sign after the last of `signers`, whose signature closes the file.
    """

    subject_kind: str
    subject_id: UUID
    template: str
    content: bytes
    words: Mapping[str, str]
    written_at: datetime
    signers: tuple[Signer, ...]
    fields: tuple[Field, ...]
    whole: bool = True

    @property
    def digest(self) -> bytes:
        """Of the content."""
        return sha256(self.content)


async def make(context: Context, order: Order) -> None:
    """Add every signature that the content already has and the sheet has not. Safe to run twice.

    `TryLater` when the signer's shift has ended in between: a sheet is signed in the session the person opened.
    """
    for stage, signer in enumerate(order.signers, start=1):
        async with unit_of_work(context.db) as session:
            if await at_stage(session, order.subject_kind, order.subject_id, order.digest, stage) is not None:
                continue
            row = await signatures.standing(session, order.subject_kind, order.subject_id, signer.purpose)
            if row is None or (stage == 1 and row.digest != order.digest):
                return
            if stage == 1 and not signatures.stands_for(row, order.content):
                raise TryLater("the signature is not of this content")
            before = await at_stage(session, order.subject_kind, order.subject_id, order.digest, stage - 1)
            token = await _ca_session(session, row, context.clock.now())
        if before is not None:
            pdf = b"".join([part async for part in context.objects.read(before.object_key)])
        else:
            from backend.sheet import render

            pdf = await render.in_thread(order.template, order.content, order.words, order.written_at)
        await _keep(context, order, stage, await _signed(context, order, stage, row, token, pdf))


async def _ca_session(session: AsyncSession, row: Signature, now: datetime) -> str:
    query = select(Shift).where(
        Shift.practitioner_id == row.signer_id, Shift.closed_at.is_(None), Shift.expires_at > now
    )
    shift = await session.scalar(query)
    if shift is None:
        raise TryLater("whoever signed has ended the shift")
    return shift.ca_session


async def _signed(
    context: Context, order: Order, stage: int, row: Signature, token: str, pdf: bytes
) -> bytes:
    from backend.sheet import pades

    signer = order.signers[stage - 1]
    await signatures.vouched(context, row)
    known = await context.ca.authorities()
    certificate = (await context.ca.certificates(token)).certificate_pem
    if is_revoked(unarmor(certificate.encode())[2], known.revoked):
        raise TryLater("the certificate of whoever signed is revoked")
    assert row.signed_at is not None

    async def sign(attributes: bytes) -> bytes:
        value = await context.ca.sign_document(new_id(), token, attributes)
        if value.certificate_pem != certificate:
            raise Unavailable("签名服务换了证书，请稍后再试", code="signature_unusable")
        return base64.b64decode(value.signature)

    remote = pades.Remote(unarmor(certificate.encode())[2], known, sign, context.ca.time_stamp_reply)
    said = encoded(signer.purpose, order.content, base64.b64decode(row.value), signer.verdict)
    wanted = pades.Order(
        field=signer.field, reason=signer.reason, name=signer.name, at=context.clock.now(),
        shown_at=f"{local(row.signed_at):%Y-%m-%d %H:%M:%S}", statement=said,
        create=order.fields if stage == 1 else (), last=order.whole and stage == len(order.signers),
    )  # fmt: skip
    return await pades.sign(pdf, wanted, remote)


async def _keep(context: Context, order: Order, stage: int, pdf: bytes) -> None:
    sheet_id, now = new_id(), context.clock.now()
    key = f"sheets/{local(now):%Y/%m/%d}/{sheet_id}.pdf"

    async def whole() -> AsyncIterator[bytes]:
        yield pdf

    await context.objects.put(key, whole())
    async with unit_of_work(context.db) as session:
        statement = insert(Sheet).values(
            id=sheet_id, hospital_id=hospital_id(), subject_kind=order.subject_kind, subject_id=order.subject_id,
            digest=order.digest, stage=stage, object_key=key, size=len(pdf), sha256=sha256(pdf).hex(), made_at=now,
        )  # fmt: skip
        kept = await session.scalar(statement.on_conflict_do_nothing().returning(Sheet.id))
    if kept is None:  # another worker was quicker
        await context.objects.delete(key)


async def at_stage(
    session: AsyncSession, subject_kind: str, subject_id: UUID, digest: bytes, stage: int
) -> Sheet | None:
    """The sheet of this very content with so many signatures."""
    query = select(Sheet).where(
        Sheet.subject_kind == subject_kind, Sheet.subject_id == subject_id, Sheet.digest == digest, Sheet.stage == stage
    )  # fmt: skip
    return await session.scalar(query)
