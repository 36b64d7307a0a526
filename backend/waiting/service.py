"""Offering money or place to who has waited too long; handing a visit over to a colleague if the patient agrees."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.encounter import queries as encounters
from backend.encounter import service as visiting
from backend.encounter.model import Encounter
from backend.encounter.states import EncounterState
from backend.notification.rules import VISIT_DELAYED
from backend.notification.service import tell
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.pricing.service import price, visit_price_code
from backend.shift.service import runs
from backend.waiting import queries, rules
from backend.waiting.model import Handover
from backend.waiting.states import HandoverState
from contracts import events
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden
from foundation.ids import new_id

LAPSE = "waiting.lapse"
GOOD_FOR = timedelta(minutes=15)
"""A proposal that nobody answered is taken back: the colleague may be busy by then."""
HANDED_OVER = "医生迟到，转由本科室其他医生接诊"
LATE_WORDS = "医生还在为前一位患者看诊"


async def offer(session: AsyncSession, encounter_id: UUID) -> bool:
    """Somebody has waited too long: she may take her money back or keep her place. Once; nothing when she waits no more."""
    visit, booked = await _locked(session, encounter_id)
    if not _waits(visit, booked) or visit.late_offered_at is not None:
        return False
    visit.late_offered_at = clock_of(session).now()
    audit(session, SYSTEM, "waiting.offer", "encounter", visit.id)
    data = {
        "thing1": LATE_WORDS, "time2": local(booked.starts_at).strftime("%Y-%m-%d %H:%M"),
        "thing3": "可选择继续等候或退款",
    }  # fmt: skip
    for account_id in await patients.accounts_for(session, booked.person_id):
        await tell(session, account_id, VISIT_DELAYED, data, link=f"/visits/{booked.id}", subject_id=visit.id)
    touch(session, visit.stream, visiting.WAITING)
    return True


async def keep_place(session: AsyncSession, actor: Actor, encounter_id: UUID) -> None:
    """She goes on waiting: only the limit of waiting gives her money back now."""
    visit, booked = await _locked(session, encounter_id)
    _require_waits(visit, booked)
    if visit.late_offered_at is None:
        raise Conflict("医生尚未迟到，号源为您保留", code="not_late")
    if visit.place_kept_at is None:
        visit.place_kept_at = clock_of(session).now()
        audit(session, actor, "waiting.keep_place", "encounter", visit.id)
        await intend(session, visiting.DEADLINE, visit.id, due=visit.place_kept_at)
        touch(session, visit.stream, visiting.WAITING)


async def take_refund(session: AsyncSession, actor: Actor, booked: Appointment) -> None:
    """She has waited long enough: everything back (practice.md 17, doctor late)."""
    visit, booked = await _locked(session, _encounter_of(booked))
    _require_waits(visit, booked)
    if visit.late_offered_at is None:
        raise Conflict("医生尚未迟到，可在本页取消预约", code="not_late")
    await visiting.cancel_by_patient(session, actor, booked)
    await withdraw_proposal(session, visit.id)


async def propose(session: AsyncSession, actor: Actor, encounter_id: UUID, practitioner_id: UUID) -> Handover:
    """The duty desk names a colleague; the patient is asked. `Conflict` says why a colleague cannot."""
    visit, booked = await _locked(session, encounter_id)
    _require_waits(visit, booked)
    await _check_colleague(session, visit, booked, practitioner_id)
    assert actor.id is not None
    row = Handover(
        id=new_id(), encounter_id=visit.id, appointment_id=booked.id, from_practitioner_id=visit.practitioner_id,
        to_practitioner_id=practitioner_id, proposed_by=actor.id, proposed_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict("已有一个建议在等患者答复", code="proposed_already") from error
    await intend(session, LAPSE, row.id, due=row.proposed_at + GOOD_FOR)
    doctor = await practitioners.practitioner(session, practitioner_id)
    audit(session, actor, "handover.propose", "encounter", visit.id, detail={"to": doctor.code})
    data = {
        "thing1": f"可转由{doctor.name}医生接诊", "time2": local(booked.starts_at).strftime("%Y-%m-%d %H:%M"),
        "thing3": "请点击查看并选择",
    }  # fmt: skip
    for account_id in await patients.accounts_for(session, booked.person_id):
        await tell(session, account_id, VISIT_DELAYED, data, link=f"/visits/{booked.id}", subject_id=row.id)
    touch(session, visit.stream, visiting.WAITING)
    return row


async def agree(session: AsyncSession, actor: Actor, row: Handover) -> bool:
    """The visit is the colleague's from here on; her acceptance clock begins now. Fee, place and eligibility stay."""
    visit, booked = await _locked(session, row.encounter_id)
    _require_waits(visit, booked)
    if row.state == HandoverState.PROPOSED:
        await _check_colleague(session, visit, booked, row.to_practitioner_id)
    now = clock_of(session).now()
    if not await advance(session, row, "agree", actor, answered_at=now, answered_by=actor.id):
        return False
    before = visit.practitioner_id
    visit.practitioner_id = booked.practitioner_id = row.to_practitioner_id
    event = events.AppointmentMoved(
        visit=await appointments.visit_snapshot(session, booked, visit.id), moved_at=now, by="hospital",
        reason=HANDED_OVER, from_starts_at=booked.starts_at,
    )  # fmt: skip
    await publish(session, booked.stream, event)
    audit(session, actor, "encounter.hand_over", "encounter", visit.id,
          detail={"from": str(before), "to": str(row.to_practitioner_id)})  # fmt: skip
    await visiting.start_clock(session, visit, now)
    await visiting.tell_waiting(session, visit, booked)
    touch(session, f"queue:{before}", f"queue:{visit.practitioner_id}", visiting.WAITING)
    return True


async def refuse(session: AsyncSession, actor: Actor, row: Handover) -> bool:
    """She would rather wait for her doctor."""
    await lock_stream(session, row.stream)
    moved = await advance(
        session, row, "refuse", actor, answered_at=clock_of(session).now(), answered_by=actor.id
    )
    touch(session, visiting.WAITING)
    return moved


async def withdraw(session: AsyncSession, actor: Actor, row: Handover) -> bool:
    """The desk takes the proposal back."""
    await lock_stream(session, row.stream)
    moved = await advance(session, row, "withdraw", actor)
    touch(session, visiting.WAITING)
    return moved


async def withdraw_proposal(session: AsyncSession, encounter_id: UUID) -> None:
    """An open proposal for a visit that needs none any more."""
    open_one = await queries.proposal(session, encounter_id)
    if open_one is not None:
        await advance(session, open_one, "withdraw", SYSTEM)


async def may_answer(session: AsyncSession, actor: Actor, row: Handover) -> None:
    """Whoever may book for the patient, or the duty desk that has her on the telephone; `NotFound` for everybody else."""
    booked = await appointments.visible(session, actor, row.appointment_id)
    if actor.kind == "account":
        await patients.require_scope(session, actor, booked.person_id, "book")
    elif not actor.has("duty_desk"):
        raise Forbidden


async def _check_colleague(
    session: AsyncSession, visit: Encounter, booked: Appointment, practitioner_id: UUID
) -> None:
    doctor = await practitioners.practitioner(session, practitioner_id)
    try:
        await practitioners.require_filed(session, doctor.id, booked.department_code)
        filed = True
    except Forbidden:
        filed = False
    payment = await payments.of_subject(session, booking.SUBJECT, booked.id)
    issues = rules.may_take_over(
        same=doctor.id == visit.practitioner_id, filed=filed, on_shift=await runs(session, doctor.id),
        running=await encounters.running(session, doctor.id), most=policy().parallel_visits, paid=payment.amount if payment else 0,
        costs=(await price(session, visit_price_code(doctor.title_code))).amount,
    )  # fmt: skip
    if issues:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)


async def _locked(session: AsyncSession, encounter_id: UUID) -> tuple[Encounter, Appointment]:
    """Under the lock of the visit, both rows as they are now."""
    visit = await encounters.encounter(session, encounter_id)
    await lock_stream(session, visit.stream)
    return await lock(session, Encounter, visit.id), await lock(session, Appointment, visit.appointment_id)


def _encounter_of(booked: Appointment) -> UUID:
    if booked.encounter_id is None:
        raise Conflict("请先支付诊查费", code="not_booked")
    return booked.encounter_id


def _waits(visit: Encounter, booked: Appointment) -> bool:
    return visit.state == EncounterState.PLANNED and booked.state == AppointmentState.CHECKED_IN


def _require_waits(visit: Encounter, booked: Appointment) -> None:
    if not _waits(visit, booked):
        raise Conflict("患者现在没有在候诊", code="not_waiting")
