"""Deadlines of a visit: remind, escalate to the duty desk, give the money back."""

from backend.appointment import queries as appointments
from backend.context import Context
from backend.encounter import service
from backend.encounter.model import Encounter
from backend.encounter.states import EncounterState
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM
from foundation.db.audit import audit
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work


async def acceptance_deadline(work: Work[Context]) -> None:
    """Nobody accepted in time: refuseType 2, everything back."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Encounter, work.subject)
        if row.state == EncounterState.PLANNED:
            await service.decline(
                session, SYSTEM, row, reason="医生未在规定时间内接诊", cause=RefundReason.NOBODY_ACCEPTED
            )


async def remind(work: Work[Context]) -> None:
    """Tell the doctor again, and the duty desk for the first time."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Encounter, work.subject)
        if row.state != EncounterState.PLANNED:
            return
        booked = await appointments.appointment(session, row.appointment_id)
        for staff_id in (row.practitioner_id, *await service.duty_desk(session)):
            await service.tell_waiting(session, row, booked, staff_id)
        audit(session, SYSTEM, "encounter.remind", "encounter", row.id)


HANDLERS: dict[str, Handler] = {service.DEADLINE: acceptance_deadline, service.REMIND: remind}
