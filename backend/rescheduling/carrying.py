"""Carrying out: one patient at a time is refunded and told, or moved and asked; her answer, or her silence."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.appointment.states import OPEN, AppointmentState
from backend.encounter import queries as encounters
from backend.encounter.service import stop_clock
from backend.encounter.states import EncounterState
from backend.notification.rules import CANCELLED, MOVED
from backend.notification.service import tell
from backend.patient import queries as patients
from backend.payment.rules import RefundReason
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.rescheduling import queries, rules
from backend.rescheduling.model import Relocation
from backend.rescheduling.states import RelocationState
from backend.schedule import service as pool
from backend.schedule.model import Slot
from backend.writeback.service import write_back_change
from contracts import events
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, NotFound

LAPSE = "rescheduling.lapse"
STOPPED = "医生停诊"
WHEN = "%Y-%m-%d %H:%M"


async def carry_out(session: AsyncSession, relocation_id: UUID) -> None:
    """Refund and tell one patient, or move her and ask. Safe to run twice: only a planned one is touched."""
    row = await session.get_one(Relocation, relocation_id)
    await lock_stream(session, row.stream)
    row = await lock(session, Relocation, relocation_id)
    if row.state != RelocationState.PLANNED:
        return
    booked = await lock(session, Appointment, row.appointment_id)
    await _settle_earlier_offer(session, row, booked)
    if booked.state not in OPEN or booked.slot_id != row.from_slot_id:
        await _give_target_back(session, row)
        await advance(session, row, "skip", SYSTEM)
    elif (
        row.to_slot_id is not None
        and booked.state != AppointmentState.PENDING
        and await _may_move(session, row, booked)
    ):
        await _move(session, row, booked)
    else:
        await _give_target_back(session, row)
        await cancel_for_hospital(session, SYSTEM, booked)
        await advance(session, row, "cancel", SYSTEM, answered_at=clock_of(session).now())
        await tell_stopped(session, booked)
    touch(session, f"change:{row.change_id}", "timetable")


async def accept(session: AsyncSession, actor: Actor, row: Relocation) -> bool:
    """She takes the new time."""
    await lock_stream(session, row.stream)
    now = clock_of(session).now()
    row = await lock(session, Relocation, row.id)
    _in_time(row, now)
    if not await advance(session, row, "accept", actor, answered_at=now, answered_by=_who(actor)):
        return False
    await withdraw(session, LAPSE, row.id)
    booked = await lock(session, Appointment, row.appointment_id)
    booked.answer_by = None
    audit(session, actor, "appointment.accept_move", "appointment", booked.id)
    touch(session, booked.stream, f"change:{row.change_id}")
    return True


async def refuse(session: AsyncSession, actor: Actor, row: Relocation) -> bool:
    """She takes the money; all of it, whatever the hour (practice.md 17: the doctor cancelled)."""
    await lock_stream(session, row.stream)
    now = clock_of(session).now()
    row = await lock(session, Relocation, row.id)
    _in_time(row, now)
    if not await advance(session, row, "refuse", actor, answered_at=now, answered_by=_who(actor)):
        return False
    await withdraw(session, LAPSE, row.id)
    booked = await lock(session, Appointment, row.appointment_id)
    if booked.state in OPEN:
        await cancel_for_hospital(session, actor if actor.has("patient") else SYSTEM, booked)
        if not actor.has("patient"):
            await tell_stopped(session, booked)
    touch(session, f"change:{row.change_id}")
    return True


async def lapse(session: AsyncSession, relocation_id: UUID) -> None:
    """She never answered: the place goes back and the money too. Whoever came to the waiting room has answered by coming."""
    row = await session.get_one(Relocation, relocation_id)
    await lock_stream(session, row.stream)
    row = await lock(session, Relocation, relocation_id)
    if row.state != RelocationState.OFFERED:
        return
    booked = await lock(session, Appointment, row.appointment_id)
    now = clock_of(session).now()
    if booked.state in (AppointmentState.CHECKED_IN, AppointmentState.FULFILLED):
        await advance(session, row, "accept", SYSTEM, answered_at=now, answered_by="checked_in")
        booked.answer_by = None
    elif booked.state == AppointmentState.BOOKED:
        await advance(session, row, "lapse", SYSTEM, answered_at=now)
        await cancel_for_hospital(session, SYSTEM, booked)
        await tell_stopped(session, booked)
    else:
        await advance(session, row, "skip", SYSTEM)
    touch(session, f"change:{row.change_id}")


async def cancel_for_hospital(session: AsyncSession, actor: Actor, booked: Appointment) -> None:
    """The hospital takes the appointment back: everything is refunded, the visit will not take place."""
    if not await booking.cancel(session, actor, booked, RefundReason.DOCTOR_CANCELLED, "hospital"):
        return
    if booked.encounter_id is None:
        return
    visit = await encounters.encounter(session, booked.encounter_id)
    if visit.state == EncounterState.PLANNED:
        await advance(session, visit, "cancel", actor, ended_at=clock_of(session).now(), end_reason=STOPPED)
    await stop_clock(session, visit)


async def tell_stopped(session: AsyncSession, booked: Appointment) -> None:
    """Everybody who acts for her hears it; no diagnosis and no drug is in the words (practice.md 9)."""
    paid = booked.booked_at is not None
    data = {
        "thing1": STOPPED, "time2": local(booked.starts_at).strftime(WHEN),
        "thing3": "费用将原路退回" if paid else "号源已释放，未扣费",
    }  # fmt: skip
    for account_id in await patients.accounts_for(session, booked.person_id):
        await tell(session, account_id, CANCELLED, data, link=f"/visits/{booked.id}", subject_id=booked.id)


async def _may_move(session: AsyncSession, row: Relocation, booked: Appointment) -> bool:
    """The place taken for her is still one, and she has not booked it herself meanwhile."""
    assert row.to_slot_id is not None
    slot = await session.get_one(Slot, row.to_slot_id, populate_existing=True)
    there = await queries.has_place(session, booked.person_id, row.to_slot_id)
    return slot.stopped_at is None and slot.starts_at > clock_of(session).now() and not there


async def _move(session: AsyncSession, row: Relocation, booked: Appointment) -> None:
    """Another time, perhaps another doctor; booking day, eligibility and fee stay (practice.md 5)."""
    assert row.to_slot_id is not None
    assert row.to_number is not None
    assert booked.encounter_id is not None
    now = clock_of(session).now()
    slot = await session.get_one(Slot, row.to_slot_id)
    visit = await encounters.encounter(session, booked.encounter_id)
    old_slot, old_place, old_doctor, old_start = (
        booked.slot_id,
        booked.place,
        booked.practitioner_id,
        booked.starts_at,
    )
    booked.slot_id, booked.practitioner_id, booked.place = slot.id, slot.practitioner_id, row.to_place
    booked.day, booked.starts_at, booked.ends_at = slot.day, slot.starts_at, slot.ends_at
    booked.serial_number = row.to_number
    await stop_clock(session, visit)  # the old doctor's screen
    visit.practitioner_id, visit.acceptance_deadline = slot.practitioner_id, None
    visit.clock_started_at = visit.late_offered_at = visit.place_kept_at = None
    event = events.AppointmentMoved(
        visit=await appointments.visit_snapshot(session, booked, visit.id), moved_at=now, by="hospital", reason=STOPPED,
        from_starts_at=old_start,
    )  # fmt: skip
    until = rules.answer_by(now, slot.starts_at, policy())
    await advance(
        session,
        booked,
        "move",
        SYSTEM,
        event=event,
        checked_in_at=None,
        moved_from=old_start,
        answer_by=until,
    )
    await pool.give_back(session, old_slot, old_place, sold=True)
    await write_back_change(session, booked.id, "move", row.id)
    await intend(session, booking.NOSHOW, booked.id, due=slot.ends_at + policy().check_in_late)
    await advance(session, row, "offer", SYSTEM, answer_by=until)
    await intend(session, LAPSE, row.id, due=until)
    touch(session, f"queue:{slot.practitioner_id}")
    await _tell_moved(session, booked, until, same_doctor=old_doctor == slot.practitioner_id)


async def _tell_moved(
    session: AsyncSession, booked: Appointment, until: datetime, *, same_doctor: bool
) -> None:
    doctor = await practitioners.practitioner(session, booked.practitioner_id)
    data = {
        "thing1": f"{STOPPED}，已改约" + ("新时间" if same_doctor else f"{doctor.name}医生"),
        "time2": local(booked.starts_at).strftime(WHEN),
        "thing3": f"请{local(until):%m-%d %H:%M}前确认或退款",
    }
    for account_id in await patients.accounts_for(session, booked.person_id):
        await tell(session, account_id, MOVED, data, link=f"/visits/{booked.id}", subject_id=booked.id)


async def _settle_earlier_offer(session: AsyncSession, row: Relocation, booked: Appointment) -> None:
    """A time that was only offered is stopped as well: the earlier question is void, the later answer counts."""
    for earlier in await queries.other_offers(session, row):
        await withdraw(session, LAPSE, earlier.id)
        await advance(session, earlier, "skip", SYSTEM)
        booked.answer_by = None


async def _give_target_back(session: AsyncSession, row: Relocation) -> None:
    if row.to_slot_id is not None:
        await pool.give_back(session, row.to_slot_id, row.to_place)


def _in_time(row: Relocation, now: datetime) -> None:
    if row.state == RelocationState.OFFERED and row.answer_by is not None and now >= row.answer_by:
        raise Conflict("答复时间已过，费用将原路退回", code="answer_late")


def _who(actor: Actor) -> str:
    return "patient" if actor.has("patient") else "staff"


async def offer_of(session: AsyncSession, appointment_id: UUID) -> Relocation:
    """The move of an appointment that waits for an answer; `NotFound` when there is none."""
    row = await queries.latest(session, appointment_id)
    if row is None:
        raise NotFound("没有待确认的改约")
    return row
