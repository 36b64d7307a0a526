"""Sending one step through the gateway."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Uuid, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.outside.his import HospitalRefused
from backend.writeback.model import WriteBack
from backend.writeback.service import SEND
from contracts.his import Acknowledged
from foundation.actor import SYSTEM
from foundation.db.audit import audit
from foundation.db.intents import Handler, TryLater, Work, intend
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import NotFound

WAIT = timedelta(seconds=2)


async def send(work: Work[Context]) -> None:
    """Write one step; waits for earlier steps of the visit, parks a refusal for the desk."""
    context = work.context
    async with unit_of_work(context.db) as session:
        row = await session.get_one(WriteBack, work.subject)
        if row.acknowledged_at is not None:
            return
        earlier = select(WriteBack.id).where(
            WriteBack.appointment_id == row.appointment_id, _turn() < _turn_of(row),
            WriteBack.acknowledged_at.is_(None), WriteBack.refused_code == "",
        )  # fmt: skip
        if await session.scalar(earlier.limit(1)) is not None:
            raise TryLater("an earlier step is not acknowledged yet", WAIT)
        step, subject_id, request_id = row.step, row.subject_id, row.id
    reference, refused = "", ""
    try:
        request = await context.wiring.write_back[step](context, subject_id, request_id)
        reference = (await context.hospital.call(request, Acknowledged)).reference
    except (HospitalRefused, NotFound) as error:
        refused = error.code
    async with unit_of_work(context.db) as session:
        row = await session.get_one(WriteBack, work.subject, with_for_update=True)
        row.reference, row.refused_code = reference[:120], refused[:60]
        row.acknowledged_at = None if refused else context.clock.now()
        outcome = "refused" if refused else "ok"
        audit(
            session, SYSTEM, f"writeback.{step}", "appointment", row.appointment_id, outcome=outcome, code=refused
        )  # fmt: skip
        await _wake_the_next(session, row)
        if not refused:
            for told in context.wiring.on_acknowledged:
                await told(session, context, row.appointment_id)


async def _wake_the_next(session: AsyncSession, row: WriteBack) -> None:
    """Steps of the visit that may have been waiting for this one."""
    waiting = select(WriteBack.id).where(
        WriteBack.appointment_id == row.appointment_id, _turn() > _turn_of(row),
        WriteBack.acknowledged_at.is_(None), WriteBack.refused_code == "",
    )  # fmt: skip
    for row_id in list(await session.scalars(waiting.order_by(WriteBack.order, WriteBack.id))):
        await intend(session, SEND, row_id)


def _turn() -> ColumnElement[Any]:
    """Steps go by their order, those of one order (two moves) as they were asked for: ids grow with time."""
    return tuple_(WriteBack.order, WriteBack.id)


def _turn_of(row: WriteBack) -> ColumnElement[Any]:
    return tuple_(literal(row.order), literal(row.id, Uuid()))


HANDLERS: dict[str, Handler] = {SEND: send}
