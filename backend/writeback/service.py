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
STEPS = {
    "registration": 0, "charge.registration": 1, "move": 1, "record": 2, "prescription": 3, "charge.prescription": 4,
    "dispense": 5, "cancellation": 6, "refund": 6,
}  # fmt: skip
"""The order of steps of one visit; what shares a number goes as it was asked for. Rows keep their number: it never changes."""
PLACE_TAKEN = "place_taken"
"""`refused_code` of a registration or move whose slot somebody else has at the hospital."""


async def write_back(session: AsyncSession, appointment_id: UUID, step: str, subject_id: UUID) -> None:
    """Note that `step` is to be written for `subject_id`; once per step and subject."""
    statement = (
        insert(WriteBack)
        .values(
            id=new_id(), hospital_id=hospital_id(), appointment_id=appointment_id, step=step, order=STEPS[step],
            subject_id=subject_id, asked_at=clock_of(session).now(), reference="", refused_code="",
        )
        .on_conflict_do_nothing()
        .returning(WriteBack.id)
    )  # fmt: skip
    row_id = await session.scalar(statement)
    if row_id is not None:
        await intend(session, SEND, row_id)


async def write_back_change(session: AsyncSession, appointment_id: UUID, step: str, subject_id: UUID) -> None:
    """Note a move or a cancellation, if the visit is (or was) to be registered: of others the hospital knows nothing."""
    query = select(WriteBack.id).where(
        WriteBack.appointment_id == appointment_id, WriteBack.step == "registration"
    )
    if await session.scalar(query) is not None:
        await write_back(session, appointment_id, step, subject_id)


async def write_back_refund(session: AsyncSession, charge_id: UUID, refund_id: UUID) -> None:
    """Note that a refund is to be written, if its charge is (or was): of what never was a visit the hospital knows nothing."""
    query = select(WriteBack.appointment_id).where(
        WriteBack.subject_id == charge_id, WriteBack.step.startswith("charge.")
    )
    appointment_id = await session.scalar(query)
    if appointment_id is not None:
        await write_back(session, appointment_id, "refund", refund_id)
