"""Requesting, confirming, checking in, cancelling."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries, rules
from backend.appointment.holding import (
    EXPIRE_HOLD,
    Answer,
    Held,
    Press,
    Replay,
    hold,
    write_refusals,
)
from backend.appointment.model import Appointment
from backend.appointment.queries import SUBJECT
from backend.appointment.rules import Wish
from backend.appointment.states import AppointmentState
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.policy import policy
from backend.schedule import service as pool
from backend.schedule.rules import Channel
from backend.writeback.service import write_back_change
from contracts import events
from foundation.actor import SYSTEM, Actor
from foundation.db.advance import advance
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import AppError, Conflict
from foundation.logs import request_id
from foundation.together import Later

__all__ = ["EXPIRE_HOLD", "NOSHOW", "SUBJECT"]

NOSHOW = "appointment.noshow"


async def request(
    session: AsyncSession, actor: Actor, *, person_id: UUID, slot_id: UUID, eligibility_id: UUID, complaint: str,
    mode: str, channel: Channel | None = None, by: str = "", account_id: UUID | None = None, only_kept: bool = False,
) -> Appointment:  # fmt: skip
    """Hold a place and open the bill, in the caller's transaction. `rules.decide` says what is refused.

    `channel` None: the rule decides. `by` names who books without a grant, on whose account then. `only_kept`: no place
    that everybody may have.
    """
    own = actor.id if actor.kind == "account" else None
    press = Press(
        actor, person_id, slot_id, eligibility_id, complaint, Wish(mode, channel, by, only_kept), account_id or own,
        request=request_id.get(),
    )  # fmt: skip
    try:
        (outcome,) = await hold(session, [press])
    except UniqueViolationError as error:
        raise taken_meanwhile(error) from error
    if isinstance(outcome, AppError):
        raise outcome
    assert isinstance(outcome, Held)
    return await session.get_one(Appointment, outcome.row["id"])


async def request_together(
    db: Database, presses: Sequence[Press], answer: Answer
) -> Sequence[Held | Replay | AppError | Later]:
    """Hold places for requests that came at the same time, in one transaction of their own; `answer` is kept with the key.

    Refusals are in the audit trail when this returns.
    """
    try:
        return await _together(db, presses, answer)
    except UniqueViolationError as error:
        if len(presses) > 1:
            raise  # each alone, then
        refused = taken_meanwhile(error)
    if refused.code == "already_booked":
        return [refused]
    return await _together(db, presses, answer)  # the same key has just been used: its answer stands now


async def _together(
    db: Database, presses: Sequence[Press], answer: Answer
) -> Sequence[Held | Replay | AppError | Later]:
    async with unit_of_work(db) as session:
        outcomes = await hold(session, presses, answer)
        await write_refusals(session, presses, outcomes)
        return outcomes


def taken_meanwhile(error: UniqueViolationError) -> AppError:
    """What an index refused that the facts had not shown yet."""
    if error.constraint_name == "uq_appointment_open":
        return rules.already_booked()
    return Conflict("同一请求正在处理，请稍后再试")


async def confirm(session: AsyncSession, row: Appointment, paid: events.Money, encounter_id: UUID) -> bool:
    """The fee is paid, or there was none: the place is the patient's. False when hold or slot were over; the caller refunds."""
    row = await lock(session, Appointment, row.id)
    if row.state == AppointmentState.CANCELLED:
        return False
    now = clock_of(session).now()
    if row.state == AppointmentState.PENDING and rules.missed(policy(), ends_at=row.ends_at, now=now):
        await _release(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY)
        return False
    event = events.AppointmentBooked(
        visit=await queries.visit_snapshot(session, row, encounter_id), booked_at=now, booked_by=row.booked_by,
        payment=paid,
    )  # fmt: skip
    moved = await advance(
        session, row, "confirm", SYSTEM, event=event, booked_at=now, encounter_id=encounter_id
    )
    if moved:
        await withdraw(session, EXPIRE_HOLD, row.id)
        free_until = (await queries.cancelling(session, row)).free_until
        due = rules.missed_at(policy(), ends_at=row.ends_at, free_until=free_until)
        await intend(session, NOSHOW, row.id, due=due)
    return moved


async def check_in(session: AsyncSession, actor: Actor, row: Appointment) -> bool:
    """The patient is ready and waits."""
    now = clock_of(session).now()
    issues = rules.check_in_window(policy(), starts_at=row.starts_at, ends_at=row.ends_at, now=now)
    if issues and row.state == AppointmentState.BOOKED:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)
    moved = await advance(session, row, "check_in", actor, checked_in_at=now)
    if moved:
        await withdraw(session, NOSHOW, row.id)
    return moved


async def cancel(
    session: AsyncSession, actor: Actor, row: Appointment, reason: RefundReason, by: str
) -> bool:
    """Give the place back, and the money as the rule for `reason` says."""
    await lock_stream(session, row.stream)
    row = await lock(session, Appointment, row.id)
    now = clock_of(session).now()
    event = None
    if row.state in (AppointmentState.BOOKED, AppointmentState.CHECKED_IN):
        visit = await queries.visit_snapshot(session, row, row.encounter_id)
        event = events.AppointmentCancelled(
            visit=visit, cancelled_at=now, by=by, reason=REFUND_RULES[reason].words
        )
    if not await _release(session, actor, row, reason, event):
        return False
    payment = await payments.of_subject(session, SUBJECT, row.id)
    if payment is not None:
        await money.cancel(session, actor if actor.has("patient") else SYSTEM, payment)
        await money.request_refund(session, actor, payment, reason)
    return True


async def _release(
    session: AsyncSession, actor: Actor, row: Appointment, reason: RefundReason,
    event: events.AppointmentCancelled | None = None,
) -> bool:  # fmt: skip
    """The place goes back and nothing more is due for it; what becomes of money is the caller's."""
    now = clock_of(session).now()
    sold = row.state != AppointmentState.PENDING
    changes = {"cancelled_at": now, "cancel_reason": reason.value}
    if not await advance(session, row, "cancel", actor, event=event, **changes):
        return False
    await pool.give_back(session, row.slot_id, row.place, sold=sold)
    for kind in (EXPIRE_HOLD, NOSHOW):
        await withdraw(session, kind, row.id)
    if sold:
        await write_back_change(session, row.id, "cancellation", row.id)
    return True
