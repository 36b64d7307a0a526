"""Deadlines of a visit: nobody accepted it, nobody came."""

from datetime import timedelta

from backend.appointment import queries as appointments
from backend.appointment.service import NOSHOW, SUBJECT
from backend.appointment.states import AppointmentState
from backend.context import Context
from backend.encounter import queries, rules, service
from backend.encounter.model import Encounter
from backend.encounter.states import EncounterState
from backend.fairness.service import note_absence
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.policy import policy
from backend.writeback.service import write_back_change
from foundation.actor import SYSTEM
from foundation.db.advance import advance
from foundation.db.intents import Handler, Work, intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, unit_of_work


async def acceptance_deadline(work: Work[Context]) -> None:
    """Nobody accepted in time: refuseType 2, everything back. While the clock stood still, look again later."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Encounter, work.subject)
        await lock_stream(session, row.stream)
        await session.refresh(row)
        booked = await appointments.appointment(session, row.appointment_id)
        if row.state != EncounterState.PLANNED or booked.state != AppointmentState.CHECKED_IN:
            return
        found = await queries.waited(session, row, booked.department_code)
        left = rules.time_left(
            policy(), counted=found.counted, waited=found.waited, kept=row.place_kept_at is not None
        )
        if left <= timedelta():
            await service.decline(
                session, SYSTEM, row, reason="医生未在规定时间内接诊", cause=RefundReason.NOBODY_ACCEPTED
            )
            return
        row.acceptance_deadline = clock_of(session).now() + max(left, rules.LOOK_AGAIN)
        await intend(session, service.DEADLINE, row.id, due=row.acceptance_deadline)


async def remind(work: Work[Context]) -> None:
    """Of a version before: notices climb by themselves now (`escalation`)."""


async def mark_noshow(work: Work[Context]) -> None:
    """The slot is over and the patient never waited: the visit will not take place."""
    async with unit_of_work(work.context.db) as session:
        booked = await appointments.appointment(session, work.subject)
        await lock_stream(session, booked.stream)
        await session.refresh(booked)
        if booked.state != AppointmentState.BOOKED:
            return
        await advance(session, booked, "mark_noshow", SYSTEM)
        await note_absence(session, booked.person_id, booked.id)
        payment = await payments.of_subject(session, SUBJECT, booked.id)
        if payment is not None:
            await money.request_refund(session, SYSTEM, payment, RefundReason.NO_SHOW)
        if booked.encounter_id is not None:
            row = await session.get_one(Encounter, booked.encounter_id)
            words = REFUND_RULES[RefundReason.NO_SHOW].words
            await advance(session, row, "cancel", SYSTEM, ended_at=clock_of(session).now(), end_reason=words)
        # the slot is over and its place of use to nobody; at the hospital no visit may stay planned for ever all the same
        await write_back_change(session, booked.id, "cancellation", booked.id)


HANDLERS: dict[str, Handler] = {
    service.DEADLINE: acceptance_deadline,
    "encounter.remind": remind,
    NOSHOW: mark_noshow,
}
