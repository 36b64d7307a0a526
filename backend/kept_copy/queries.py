"""What is to be copied, what may be dropped, what the desk counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from backend.chat.model import Attachment
from backend.encounter.model import Encounter
from backend.kept_copy.model import KeptCopy
from backend.kept_copy.rules import Kind
from backend.kept_copy.states import KeptState
from backend.prescription.model import PrescriptionRow
from backend.record.model import MedicalRecord
from backend.record.service import SUBJECT as RECORD
from backend.sheet.model import Sheet
from backend.video.keeping import held_visits
from backend.video.model import Recording
from backend.writeback.model import WriteBack


@dataclass(frozen=True)
class Source:
    """An object that no copy was asked for yet."""

    kind: Kind
    subject_id: UUID
    encounter_id: UUID
    object_key: str


async def unasked(session: AsyncSession, appointment_id: UUID | None, limit: int) -> list[Source]:
    """Of visits (or of the one) whose record, prescription or registration the hospital has acknowledged; a recording and what was
    sent only after the visit's end."""
    found: list[Source] = []
    records = _records().limit(limit)
    queries: list[tuple[Kind, Select[UUID, UUID, str]]] = [
        (Kind.SHEET, _sheets()), (Kind.RECORDING, _recordings()),
        (Kind.ATTACHMENT, _attachments(Attachment.object_key)), (Kind.ATTACHMENT, _attachments(Attachment.small_key)),
    ]  # fmt: skip
    if appointment_id is not None:
        records = records.where(Encounter.appointment_id == appointment_id)
        queries = [(kind, one.where(Encounter.appointment_id == appointment_id)) for kind, one in queries]
    found += [
        Source(Kind.RECORD, row.id, row.encounter_id, row.kept_key) for row in await session.scalars(records)
    ]
    for kind, query in queries:
        found += [
            Source(kind, subject, encounter, key)
            for subject, encounter, key in await session.execute(query.limit(limit))
        ]
    return found


def _records() -> Select[MedicalRecord]:
    return (
        select(MedicalRecord)
        .join(Encounter, Encounter.id == MedicalRecord.encounter_id)
        .where(MedicalRecord.signed_at.is_not(None), _acknowledged("record", MedicalRecord.id))
        .where(~exists().where(KeptCopy.subject_id == MedicalRecord.id, KeptCopy.kind == Kind.RECORD))
        .order_by(MedicalRecord.id)
    )


def _sheets() -> Select[UUID, UUID, str]:
    acknowledged = or_(
        and_(Sheet.subject_kind == RECORD, _acknowledged("record", Sheet.subject_id)),
        and_(Sheet.subject_kind == "prescription", _acknowledged("prescription", Sheet.subject_id)),
    )
    return (
        select(Sheet.id, Encounter.id, Sheet.object_key)
        .outerjoin(MedicalRecord, MedicalRecord.id == Sheet.subject_id)
        .outerjoin(PrescriptionRow, PrescriptionRow.id == Sheet.subject_id)
        .join(
            Encounter, Encounter.id == func.coalesce(MedicalRecord.encounter_id, PrescriptionRow.encounter_id)
        )
        .where(acknowledged, _not_asked(Sheet.object_key))
        .order_by(Sheet.id)
    )


def _recordings() -> Select[UUID, UUID, str]:
    return (
        select(Recording.id, Encounter.id, Recording.object_key)
        .join(Encounter, Encounter.id == Recording.encounter_id)
        .where(Recording.ended_at.is_not(None), Recording.deleted_at.is_(None), Recording.sha256 != "")
        .where(_over(), _not_asked(Recording.object_key))
        .order_by(Recording.id)
    )


def _attachments(key: InstrumentedAttribute[str]) -> Select[UUID, UUID, str]:
    return (
        select(Attachment.id, Encounter.id, key)
        .join(Encounter, Encounter.id == Attachment.encounter_id)
        .where(key != "", _over(), _not_asked(key))
        .order_by(Attachment.id)
    )


def _acknowledged(step: str, subject: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    return exists().where(
        WriteBack.step == step, WriteBack.subject_id == subject, WriteBack.acknowledged_at.is_not(None)
    )


def _over() -> ColumnElement[bool]:
    """The visit has ended, and the hospital knows of it: by its record, or, of a consultation, by its registration."""
    known = exists().where(
        WriteBack.appointment_id == Encounter.appointment_id, WriteBack.acknowledged_at.is_not(None),
        or_(WriteBack.step == "record", and_(WriteBack.step == "registration", Encounter.kind == "consultation")),
    )  # fmt: skip
    return and_(Encounter.ended_at.is_not(None), known)


def _not_asked(key: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return ~exists().where(KeptCopy.object_key == key)


async def expected_digest(session: AsyncSession, row: KeptCopy) -> str:
    """SHA-256 (hex) of the plain content as it was registered; empty where it never was (a small picture)."""
    if row.kind == Kind.RECORD:
        return (await session.get_one(MedicalRecord, row.subject_id)).digest.hex()
    if row.kind == Kind.SHEET:
        return (await session.get_one(Sheet, row.subject_id)).sha256
    if row.kind == Kind.RECORDING:
        return (await session.get_one(Recording, row.subject_id)).sha256
    found = await session.get_one(Attachment, row.subject_id)
    return found.sha256 if found.object_key == row.object_key else ""


async def droppable(session: AsyncSession, before: datetime, limit: int) -> list[UUID]:
    """Copies read back before, of visits that have ended and are not held."""
    query = (
        select(KeptCopy.id)
        .join(Encounter, Encounter.id == KeptCopy.encounter_id)
        .where(KeptCopy.state == KeptState.VERIFIED, KeptCopy.verified_at < before)
        .where(Encounter.ended_at.is_not(None), KeptCopy.encounter_id.not_in(held_visits()))
        .order_by(KeptCopy.verified_at)
        .limit(limit)
    )
    return list(await session.scalars(query))


async def counts(session: AsyncSession) -> dict[KeptState, tuple[int, int]]:
    """How many copies and bytes in each state."""
    query = select(KeptCopy.state, func.count(), func.coalesce(func.sum(KeptCopy.size), 0)).group_by(
        KeptCopy.state
    )
    found = {state: (number, int(size)) for state, number, size in await session.execute(query)}
    return {state: found.get(state, (0, 0)) for state in KeptState}


async def waiting(session: AsyncSession, state: KeptState, limit: int) -> Sequence[KeptCopy]:
    """The oldest in that state."""
    query = (
        select(KeptCopy).where(KeptCopy.state == state).order_by(KeptCopy.asked_at, KeptCopy.id).limit(limit)
    )
    return (await session.scalars(query)).all()


async def of_key(session: AsyncSession, key: str) -> KeptCopy | None:
    """The copy of this object."""
    found: KeptCopy | None = await session.scalar(select(KeptCopy).where(KeptCopy.object_key == key))
    return found
