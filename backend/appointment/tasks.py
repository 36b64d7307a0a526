"""Deadlines of a booking; that nobody waited is told by `encounter`, whose visit ends with it."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError
from sqlalchemy import select

from backend.appointment import service
from backend.appointment.holding import Held, Press, Replay
from backend.appointment.model import Appointment
from backend.appointment.rules import Wish
from backend.appointment.states import OPEN, AppointmentState
from backend.context import Context
from backend.edge import PATIENT
from backend.fairness.draw import DRAW, Wanted, resolve
from backend.fairness.tickets import Ticket
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM, Actor
from foundation.db.guards import guarded
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Busy, Conflict
from foundation.together import LATER, Later

GROUP = 64
ALREADY = frozenset({"already_booked", "quota_used", "doctor_quota_used"})
"""Refusals that an earlier, interrupted try of the same draw would explain."""


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
    await resolve(work.context, work.subject, partial(hold_for, work.context, work.subject))


async def hold_for(context: Context, draw_id: UUID, wanted: Wanted) -> Sequence[UUID | AppError]:
    """A place for each ticket, in this order, many in one transaction; one that was given before a crash is found again."""
    found: list[UUID | AppError] = []
    for first in range(0, len(wanted), GROUP):
        found += await _hold_group(context, draw_id, wanted[first : first + GROUP])
    return found


async def _hold_group(context: Context, draw_id: UUID, group: Wanted) -> list[UUID | AppError]:
    presses = [_press(draw_id, ticket, slot_id) for ticket, slot_id in group]
    try:
        outcomes = await service.request_together(context.db, presses, _unasked)
    except UniqueViolationError:
        outcomes = [LATER] * len(group)
    return [
        await _found(context, ticket, press, outcome)
        for (ticket, _), press, outcome in zip(group, presses, outcomes, strict=True)
    ]


async def _found(context: Context, ticket: Ticket, press: Press, outcome: object) -> UUID | AppError:
    """The appointment or the refusal; somebody for whom another booking was under way goes alone, behind that."""
    if isinstance(outcome, Later):
        (outcome,) = await service.request_together(context.db, [press], _unasked)
    if isinstance(outcome, Held):
        held: UUID = outcome.row["id"]
        return held
    if isinstance(outcome, Replay):
        before = await _held_before(context, ticket)
        return before or Conflict("本次抽到的号已释放，请重新预约", code="place_given_back")
    refused = outcome if isinstance(outcome, AppError) else Busy(retry_after=1)
    before = await _held_before(context, ticket) if refused.code in ALREADY else None
    return before or refused


def _press(draw_id: UUID, ticket: Ticket, slot_id: UUID) -> Press:
    """The key is the ticket's own: however often a draw is resolved, a ticket holds one place at most."""
    actor = Actor("account", ticket.account_id, frozenset({PATIENT}))
    key = f"draw-{draw_id.hex}-{ticket.person_id.hex}" if guarded("draw_key") else ""
    return Press(
        actor, ticket.person_id, slot_id, ticket.eligibility_id, ticket.complaint, Wish(ticket.mode), ticket.account_id,
        key, draw_id.bytes,
    )  # fmt: skip


def _unasked(_: Held) -> tuple[int, bytes]:
    """Nobody waits for an answer of a draw: it is read from the ticket."""
    return 201, b""


async def _held_before(context: Context, ticket: Ticket) -> UUID | None:
    """What the person holds of the slots she asked for, when an earlier try of this draw had got so far."""
    async with unit_of_work(context.db) as session:
        query = select(Appointment.id).where(
            Appointment.person_id == ticket.person_id, Appointment.account_id == ticket.account_id,
            Appointment.slot_id.in_(ticket.slots), Appointment.state.in_(OPEN),
        )  # fmt: skip
        return await session.scalar(query.limit(1))


HANDLERS: dict[str, Handler] = {service.EXPIRE_HOLD: expire_hold, DRAW: draw}
