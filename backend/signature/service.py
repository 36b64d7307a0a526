"""Asking the CA for a signature and keeping it."""

import base64
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.outside.ca import SignatureValue
from backend.outside.ca_algorithms import verify
from backend.shift.service import require
from backend.signature.model import Signature
from foundation.actor import Actor
from foundation.canonical import canonical, sha256
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Unavailable
from foundation.ids import new_id
from foundation.logs import log

STAMP = "signature.stamp"


@dataclass(frozen=True)
class Wanted:
    """A signature asked for: its row, the CA session it is made in, what is signed and the SHA-256 of it."""

    signature_id: UUID
    ca_session: str = field(repr=False)
    content: bytes = field(repr=False)
    digest: bytes


async def want(
    session: AsyncSession, actor: Actor, subject_kind: str, subject_id: UUID, purpose: str,
    content: msgspec.Struct,
) -> Wanted:  # fmt: skip
    """First half, in the transaction that froze the content. `Forbidden` without an open shift."""
    shift = await require(session, actor)  # people have shifts; programs, the system among them, have none
    assert actor.id is not None
    signed = canonical(content)
    row = Signature(
        id=new_id(), subject_kind=subject_kind, subject_id=subject_id, purpose=purpose, signer_id=actor.id,
        digest=sha256(signed), requested_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(row)
    return Wanted(row.id, shift.ca_session, signed, row.digest)


async def obtain(context: Context, wanted: Wanted) -> SignatureValue:
    """The outward calls; no row is locked. Asking twice gives the same signature.

    A signature without a time stamp is one all the same: `tasks.stamp` asks for the stamp again.
    """
    value = await context.ca.sign(wanted.signature_id, wanted.ca_session, wanted.content)
    try:
        stamp = await context.ca.time_stamp(base64.b64decode(value.signature))
    except Unavailable as error:
        log.warning("time_stamp_missing", signature=str(wanted.signature_id), error=error.code)
        stamp = b""
    return msgspec.structs.replace(value, time_stamp=stamp)


async def keep(session: AsyncSession, actor: Actor, wanted: Wanted, value: SignatureValue) -> Signature:
    """Second half: the answer in the row, in the transaction that lets the verb happen."""
    row = await lock(session, Signature, wanted.signature_id)
    if row.digest != wanted.digest or row.voided_at is not None:
        raise Conflict("内容在签名期间被修改，请重新签名", code="changed_while_signing")
    row.algorithm, row.value, row.certificate_pem = value.algorithm, value.signature, value.certificate_pem
    row.signed_at, row.time_stamp = clock_of(session).now(), value.time_stamp
    if not row.time_stamp:
        await intend(session, STAMP, row.id)
    audit(session, actor, f"{row.subject_kind}.{row.purpose}_signature", row.subject_kind, row.subject_id)
    return row


async def standing(
    session: AsyncSession, subject_kind: str, subject_id: UUID, purpose: str
) -> Signature | None:
    """The newest signature that is neither voided nor unanswered."""
    query = (
        select(Signature)
        .where(Signature.subject_kind == subject_kind, Signature.subject_id == subject_id)
        .where(Signature.purpose == purpose, Signature.signed_at.is_not(None), Signature.voided_at.is_(None))
        .order_by(Signature.signed_at.desc())
        .limit(1)
    )
    return await session.scalar(query)


async def void_all(session: AsyncSession, subject_kind: str, subject_id: UUID) -> None:
    """An edit makes every signature of the subject worthless."""
    statement = update(Signature).where(
        Signature.subject_kind == subject_kind, Signature.subject_id == subject_id
    )
    await session.execute(
        statement.where(Signature.voided_at.is_(None)).values(voided_at=clock_of(session).now())
    )


async def vouched(context: Context, row: Signature) -> None:
    """`Unavailable` unless the certificate kept with the signature led to our root when it was made: a row in a database
    proves nothing by itself. May call the CA: no row is locked."""
    await context.ca.vouched(row.algorithm, row.certificate_pem, row.signed_at)


def holds(row: Signature | None, content: msgspec.Struct) -> bool:
    """Whether the signature stands for exactly this content, checked with its certificate."""
    return row is not None and stands_for(row, canonical(content))


def stands_for(row: Signature, signed: bytes) -> bool:
    """The same for canonical bytes."""
    value = base64.b64decode(row.value)
    return row.digest == sha256(signed) and verify(row.algorithm, row.certificate_pem, value, signed)
