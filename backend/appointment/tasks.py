"""Deadlines of a booking."""

from backend.appointment import service
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.context import Context
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM
from foundation.db.advance import advance
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock
from foundation.db.unit_of_work import unit_of_work


async def expire_hold(work: Work[Context]) -> None:
    """The hold is over and nobody paid: the place goes back."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Appointment, work.subject)
        if row.state == AppointmentState.PENDING:
            await service.cancel(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY, "system")


async def mark_noshow(work: Work[Context]) -> None:
    """The slot is over and the patient never waited."""
    async with unit_of_work(work.context.db) as session:
        row = await lock(session, Appointment, work.subject)
        if row.state == AppointmentState.BOOKED:
            await advance(session, row, "mark_noshow", SYSTEM)


HANDLERS: dict[str, Handler] = {service.EXPIRE_HOLD: expire_hold, service.NOSHOW: mark_noshow}
