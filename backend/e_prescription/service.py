"""Wanting an upload, writing down each answer. No call to the centre happens here."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.e_prescription import queries, rules
from backend.e_prescription.model import EPrescriptionRow
from backend.e_prescription.rules import Step
from backend.outside.e_prescription import Checked, SignedRx
from backend.prescription import queries as prescriptions
from foundation.actor import SYSTEM, Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import NotFound
from foundation.ids import new_id

DRIVE = "e_prescription.drive"
DESK = "desk:e-prescriptions"


async def on_approved(session: AsyncSession, context: Context, prescription_id: UUID) -> None:
    """A pharmacist has passed it: it goes into circulation, where the hospital is connected."""
    if not context.e_prescriptions.offered:
        return
    row = await prescriptions.prescription(session, prescription_id)
    if row.state not in queries.HOLDS or await queries.of_prescription(session, row.id):
        return
    made = EPrescriptionRow(
        id=new_id(), prescription_id=row.id, stream=row.stream, wanted_at=clock_of(session).now()
    )
    session.add(made)
    await intend(session, DRIVE, made.id)
    touch(session, DESK)


async def on_withdrawn(session: AsyncSession, context: Context, prescription_id: UUID) -> None:
    """Cancelled or expired: it leaves circulation."""
    row = await queries.of_prescription(session, prescription_id)
    if row is not None:
        await intend(session, DRIVE, row.id)


async def look(session: AsyncSession, row_id: UUID) -> tuple[Step, EPrescriptionRow]:
    """What comes next."""
    row = await _locked(session, row_id)
    one = await prescriptions.prescription(session, row.prescription_id)
    await session.refresh(one)
    return rules.next_step(row.state, withdrawn=one.state not in queries.HOLDS), row


async def checked(session: AsyncSession, row_id: UUID, answer: Checked) -> None:
    """The centre knows it."""
    row = await _locked(session, row_id)
    await advance(
        session, row, "check", SYSTEM, hi_rxno=answer.hiRxno, trace_code=answer.rxTraceCode, problem=""
    )
    touch(session, DESK)


async def signed(session: AsyncSession, row_id: UUID, answer: SignedRx) -> None:
    """With the insurance's signature."""
    await advance(session, await _locked(session, row_id), "sign", SYSTEM, signed=answer, problem="")
    touch(session, DESK)


async def uploaded(session: AsyncSession, row_id: UUID) -> None:
    """In circulation."""
    row = await _locked(session, row_id)
    await advance(session, row, "upload", SYSTEM, uploaded_at=clock_of(session).now(), problem="")
    touch(session, DESK)


async def ended(session: AsyncSession, row_id: UUID, verb: str) -> None:
    """Undone, or dropped before the centre knew of it."""
    row = await _locked(session, row_id)
    await advance(session, row, verb, SYSTEM, ended_at=clock_of(session).now(), problem="")
    touch(session, DESK)


async def trouble(session: AsyncSession, row_id: UUID, words: str) -> None:
    """Why it is not further."""
    row = await _locked(session, row_id)
    row.problem = words[:160]
    touch(session, DESK)


async def retry(session: AsyncSession, actor: Actor, row_id: UUID) -> EPrescriptionRow:
    """A person has put it right: once more, now."""
    row = await session.get(EPrescriptionRow, row_id)
    if row is None:
        raise NotFound("没有找到该电子处方")
    await intend(session, DRIVE, row.id)
    audit(session, actor, "e_prescription.retry", "e_prescription", row.id)
    return row


async def _locked(session: AsyncSession, row_id: UUID) -> EPrescriptionRow:
    stream = await session.scalar(select(EPrescriptionRow.stream).where(EPrescriptionRow.id == row_id))
    if stream is None:
        raise NotFound("没有找到该电子处方")
    await lock_stream(session, stream)
    return await lock(session, EPrescriptionRow, row_id)
