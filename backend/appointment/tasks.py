"""Deadlines of a booking; that nobody waited is told by `encounter`, whose visit ends with it."""

from backend.appointment import service
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.context import Context
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import unit_of_work


async def expire_hold(work: Work[Context]) -> None:
    """The hold is over and nobody paid: the place goes back."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Appointment, work.subject)
        await lock_stream(session, row.stream)
        await session.refresh(row)  # the money may have been faster: a paid place is not taken back
        if row.state == AppointmentState.PENDING:
            await service.cancel(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY, "system")


HANDLERS: dict[str, Handler] = {service.EXPIRE_HOLD: expire_hold}
