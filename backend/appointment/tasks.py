"""Deadlines of a booking; that nobody waited is told by `encounter`, whose visit ends with it."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import select

from backend.appointment import service
from backend.appointment.model import Appointment
from backend.appointment.states import OPEN, AppointmentState
from backend.context import Context
from backend.edge import PATIENT
from backend.fairness.draw import DRAW, Wanted, resolve
from backend.fairness.tickets import Ticket
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM, Actor
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError


async def expire_hold(work: Work[Context]) -> None:
    """The hold is over and nobody paid: the place goes back."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Appointment, work.subject)
        await lock_stream(session, row.stream)
        await session.refresh(row)  # the money may have been faster: a paid place is not taken back
        if row.state == AppointmentState.PENDING:
            await service.cancel(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY, "system")


async def draw(work: Work[Context]) -> None:
    """The draw of a release closes: places go to those who were drawn."""
    await resolve(work.context, work.subject, partial(hold_for, work.context))


async def hold_for(context: Context, wanted: Wanted) -> Sequence[UUID | AppError]:
    """A place for each ticket, in this order; one that was given before a crash is found again."""
    return [await _hold_one(context, ticket, slot_id) for ticket, slot_id in wanted]


async def _hold_one(context: Context, ticket: Ticket, slot_id: UUID) -> UUID | AppError:
    actor = Actor("account", ticket.account_id, frozenset({PATIENT}))
    try:
        async with unit_of_work(context.db) as session:
            row = await service.request(
                session, actor, person_id=ticket.person_id, slot_id=slot_id, eligibility_id=ticket.eligibility_id,
                complaint=ticket.complaint, mode=ticket.mode,
            )  # fmt: skip
            return row.id
    except AppError as refused:
        return await _held_before(context, ticket) or refused


async def _held_before(context: Context, ticket: Ticket) -> UUID | None:
    """What the person holds of the slots she asked for, when an earlier try of this draw had got so far."""
    async with unit_of_work(context.db) as session:
        query = select(Appointment.id).where(
            Appointment.person_id == ticket.person_id, Appointment.account_id == ticket.account_id,
            Appointment.slot_id.in_(ticket.slots), Appointment.state.in_(OPEN),
        )  # fmt: skip
        return await session.scalar(query.limit(1))


HANDLERS: dict[str, Handler] = {service.EXPIRE_HOLD: expire_hold, DRAW: draw}
