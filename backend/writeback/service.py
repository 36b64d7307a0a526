"""Asking for a step to be written back."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.writeback.model import WriteBack
from foundation.db.base import hospital_id
from foundation.db.intents import intend
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

SEND = "writeback.send"
STEPS = (
    "registration", "charge.registration", "record", "prescription", "charge.prescription", "dispense", "refund",
)  # fmt: skip


async def write_back(session: AsyncSession, appointment_id: UUID, step: str, subject_id: UUID) -> None:
    """Note that `step` is to be written for `subject_id`; once per step and subject."""
    statement = (
        insert(WriteBack)
        .values(
            id=new_id(), hospital_id=hospital_id(), appointment_id=appointment_id, step=step, order=STEPS.index(step),
            subject_id=subject_id, asked_at=clock_of(session).now(), reference="", refused_code="",
        )
        .on_conflict_do_nothing()
        .returning(WriteBack.id)
    )  # fmt: skip
    row_id = await session.scalar(statement)
    if row_id is not None:
        await intend(session, SEND, row_id)


async def write_back_refund(session: AsyncSession, charge_id: UUID, refund_id: UUID) -> None:
    """Note that a refund is to be written, if its charge is (or was): of what never was a visit the hospital knows nothing."""
    query = select(WriteBack.appointment_id).where(
        WriteBack.subject_id == charge_id, WriteBack.step.startswith("charge.")
    )
    appointment_id = await session.scalar(query)
    if appointment_id is not None:
        await write_back(session, appointment_id, "refund", refund_id)
