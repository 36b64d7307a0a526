"""Requesting, confirming, checking in, cancelling."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries, rules
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.eligibility.service import require_usable
from backend.patient import queries as patients
from backend.patient.rules import GUARDIAN_PRESENT_BELOW, age_on
from backend.patient.service import birth_date
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.model import Payment
from backend.payment.rules import REFUND_RULES, Line, RefundReason
from backend.practitioner.queries import require_filed
from backend.pricing.service import price
from backend.schedule import queries as slots
from backend.schedule import service as pool
from backend.schedule.rules import Channel
from contracts import events
from foundation.actor import SYSTEM, Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Forbidden, Issue
from foundation.ids import new_id

EXPIRE_HOLD = "appointment.expire_hold"
NOSHOW = "appointment.noshow"
SUBJECT = "appointment"


async def request(
    session: AsyncSession, actor: Actor, *, person_id: UUID, slot_id: UUID, eligibility_id: UUID, complaint: str,
    mode: str, channel: Channel = Channel.GENERAL,
) -> Appointment:  # fmt: skip
    """Hold a place and open the bill. Refused: no consent, not eligible, quota used, sold out, doctor not filed."""
    assert actor.id is not None
    now, today = clock_of(session).now(), clock_of(session).today()
    grant = await patients.grant_on(session, actor, person_id)
    if not await patients.consented(session, person_id):
        raise Forbidden("请先阅读并签署知情同意书", code="no_consent")
    await require_usable(session, person_id, eligibility_id, today)
    slot = await slots.slot(session, slot_id)
    await require_filed(session, slot.practitioner_id, slot.department_code, slot.day)
    if guarded("person_lock"):
        await lock_stream(session, f"person:{person_id}")
    issues = rules.bookable(ends_at=slot.ends_at, now=now)
    issues += rules.quota_left(await queries.held_on(session, person_id, slot.day))
    if issues:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)
    guardian = await _guardian(session, actor, person_id)
    fee = await price(session, slot.price_code)
    taken = await pool.take(session, slot.id, channel)
    if taken is None:
        raise Conflict(
            "该时段号源已约满", code="sold_out", issues=[Issue("slot_id", "sold_out", "号源已约满")]
        )
    row = Appointment(
        id=new_id(), person_id=person_id, account_id=actor.id, slot_id=slot.id, practitioner_id=slot.practitioner_id,
        department_code=slot.department_code, eligibility_id=eligibility_id, day=slot.day, starts_at=slot.starts_at,
        ends_at=slot.ends_at, serial_number=taken.number, channel=channel, place=taken.place, mode=mode, booked_by=grant.kind, complaint=complaint, guardian=guardian,
        hold_expires_at=now + rules.HOLD,
    )  # fmt: skip
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict("您已预约该时段", code="already_booked") from error
    await money.open_payment(
        session, subject_kind=SUBJECT, subject_id=row.id, stream=row.stream, account_id=actor.id, person_id=person_id,
        lines=[Line(fee.code, fee.name, fee.amount, 1, fee.version)], description="互联网复诊诊查费",
        expires_at=row.hold_expires_at,
    )  # fmt: skip
    audit(session, actor, "appointment.request", "appointment", row.id)
    await intend(session, EXPIRE_HOLD, row.id, due=row.hold_expires_at)
    return row


async def _guardian(session: AsyncSession, actor: Actor, person_id: UUID) -> events.Guardian | None:
    """Who answers for a child under six: the verified guardian who books (诊疗办法 Art 19)."""
    person = await patients.person(session, person_id)
    if age_on(birth_date(person), clock_of(session).today()) >= GUARDIAN_PRESENT_BELOW:
        return None
    grant = await patients.grant_on(session, actor, person_id)
    own = await patients.own_person(session, actor.id) if actor.id else None
    if grant.kind != "guardian" or own is None:
        raise Forbidden("6 岁以下儿童须由已实名的监护人预约", code="guardian_needed")
    return events.Guardian(own.name, own.id_number, own.phone, grant.relation or "监护人")


async def confirm(session: AsyncSession, row: Appointment, payment: Payment, encounter_id: UUID) -> bool:
    """The fee is paid: the place is the patient's. False when the hold was over; the caller refunds."""
    row = await lock(session, Appointment, row.id)
    if row.state == AppointmentState.CANCELLED:
        return False
    now = clock_of(session).now()
    event = events.AppointmentBooked(
        visit=await queries.visit_snapshot(session, row, encounter_id), booked_at=now, booked_by=row.booked_by,
        payment=payments.snapshot(payment),
    )  # fmt: skip
    moved = await advance(
        session, row, "confirm", SYSTEM, event=event, booked_at=now, encounter_id=encounter_id
    )
    if moved:
        await withdraw(session, EXPIRE_HOLD, row.id)
        await intend(session, NOSHOW, row.id, due=row.ends_at)
    return moved


async def check_in(session: AsyncSession, actor: Actor, row: Appointment) -> bool:
    """The patient is ready and waits."""
    now = clock_of(session).now()
    issues = rules.check_in_window(starts_at=row.starts_at, ends_at=row.ends_at, now=now)
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
    if not await advance(
        session, row, "cancel", actor, event=event, cancelled_at=now, cancel_reason=reason.value
    ):
        return False
    await pool.give_back(session, row.slot_id, row.place)
    for kind in (EXPIRE_HOLD, NOSHOW):
        await withdraw(session, kind, row.id)
    payment = await payments.of_subject(session, SUBJECT, row.id)
    if payment is not None:
        await money.cancel(session, actor if actor.has("patient") else SYSTEM, payment)
        await money.request_refund(session, actor, payment, reason)
    return True
