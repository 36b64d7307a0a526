"""Asking, and answering."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment import rules as booking_rules
from backend.appointment import service as booking
from backend.appointment.model import CONSULTATION, Appointment
from backend.appointment.states import OPEN, AppointmentState
from backend.encounter import queries as encounters
from backend.encounter.model import Consultation
from backend.encounter.service import open_visit
from backend.fairness.rules import quota_issues
from backend.fairness.service import lock_person, require_not_paused
from backend.patient import queries as patients
from backend.patient.model import PersonGrant
from backend.patient.rules import GUARDIAN_PRESENT_BELOW, age_on
from backend.patient.service import birth_date
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.rules import Line
from backend.policy import policy
from backend.practitioner.queries import require_filed
from backend.pricing import queries as prices
from backend.pricing.model import PriceItem
from backend.pricing.rules import consultation_price_code
from backend.pricing.service import price
from backend.schedule import queries as slots
from backend.schedule import service as pool
from backend.schedule.model import Slot
from backend.schedule.rules import Channel
from contracts import events
from foundation.actor import Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden, Issue, NotFound
from foundation.ids import new_id

DESCRIPTION = "健康咨询费"
PROCESS_DATA = "internet-hospital:encounter:"
NO_CHANNEL = "9"
"""paymentChannel of what cost nothing: other."""


async def ask(
    session: AsyncSession, actor: Actor, *, person_id: UUID, slot_id: UUID, question: str, mode: str
) -> Appointment:
    """Hold a place and open its bill; booked at once where there is nothing to pay.

    Refused: no grant, no consent, a pause, quota used, sold out, doctor not filed, or a hospital that offers none.
    """
    assert actor.id is not None
    grant = await patients.require_scope(session, actor, person_id, "book")
    if not await patients.consented(session, person_id):
        raise Forbidden("请先阅读并签署知情同意书", code="no_consent")
    slot = await slots.slot(session, slot_id)
    fee = await _fee(session, slot)
    await lock_person(session, person_id)
    await require_not_paused(session, person_id)
    await _require_free(session, person_id, slot, mode)
    taken = await pool.take(session, slot.id, Channel.GENERAL)
    if taken is None:
        raise Conflict(
            "该时段号源已约满", code="sold_out", issues=[Issue("slot_id", "sold_out", "号源已约满")]
        )
    until = booking_rules.held_until(
        policy(), grant.kind, now=clock_of(session).now(), starts_at=slot.starts_at, ends_at=slot.ends_at
    )
    row = Appointment(
        id=new_id(), person_id=person_id, account_id=actor.id, slot_id=slot.id, practitioner_id=slot.practitioner_id,
        department_code=slot.department_code, kind=CONSULTATION, eligibility_id=None, day=slot.day,
        starts_at=slot.starts_at, ends_at=slot.ends_at, serial_number=taken.number, channel=Channel.GENERAL,
        place=taken.place, mode=mode, booked_by=grant.kind, complaint=question,
        guardian=await _guardian(session, actor, grant), hold_expires_at=until,
    )  # fmt: skip
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict("您已预约该时段", code="already_booked") from error
    audit(session, actor, "consultation.ask", "appointment", row.id)
    await _bill(session, actor, row, fee)
    return row


async def _fee(session: AsyncSession, slot: Slot) -> PriceItem:
    """What the doctor of the slot costs; she must be filed there."""
    doctor = await require_filed(session, slot.practitioner_id, slot.department_code, slot.day)
    try:
        return await price(session, consultation_price_code(doctor.title_code))
    except NotFound as error:
        raise Conflict("本院暂未开放健康咨询", code="consultation_not_offered") from error


async def _require_free(session: AsyncSession, person_id: UUID, slot: Slot, mode: str) -> None:
    """The slot is not over, seen in this way, and the person's quota is not used."""
    with_doctor = select(func.count()).where(
        Appointment.person_id == person_id, Appointment.day == slot.day,
        Appointment.practitioner_id == slot.practitioner_id,
        Appointment.state.in_((*OPEN, AppointmentState.FULFILLED)),
    )  # fmt: skip
    issues = booking_rules.bookable(ends_at=slot.ends_at, now=clock_of(session).now())
    issues += quota_issues(
        policy(), on_day=await appointments.held_on(session, person_id, slot.day),
        with_doctor=await session.scalar(with_doctor) or 0,
    )  # fmt: skip
    if (
        slot.source == "his"
    ):  # nothing is written back of a consultation: the hospital's window would sell its place again
        said = "该时段是院内系统的号源，只用于复诊：健康咨询不在院内登记，占不住院内的号，请选择其他时段"
        issues.append(Issue("slot_id", "follow_up_only", said))
    if slot.mode not in ("any", mode):
        issues.append(Issue("mode", "mode_not_offered", "该时段医生不以这种方式接诊"))
    if issues:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)


async def _guardian(session: AsyncSession, actor: Actor, grant: PersonGrant) -> events.Guardian | None:
    """Who answers for a child under six: the verified guardian who asks (诊疗办法 Art 19)."""
    person = await patients.person(session, grant.person_id)
    if age_on(birth_date(person), clock_of(session).today()) >= GUARDIAN_PRESENT_BELOW:
        return None
    own = await patients.own_person(session, actor.id) if actor.id else None
    if grant.kind != "guardian" or own is None:
        raise Forbidden("6 岁以下儿童须由已实名的监护人预约", code="guardian_needed")
    return events.Guardian(own.name, own.id_number, own.phone, grant.relation or "监护人")


async def _bill(session: AsyncSession, actor: Actor, row: Appointment, fee: PriceItem) -> None:
    """Open the bill, or the visit itself where nothing is to be paid."""
    assert actor.id is not None
    if fee.amount == 0:
        await open_visit(session, row, events.Money(0, NO_CHANNEL, "", fee.version))
        return
    await money.open_payment(
        session, subject_kind=booking.SUBJECT, subject_id=row.id, stream=row.stream, account_id=actor.id,
        person_id=row.person_id, lines=[Line(fee.code, fee.name, fee.amount, 1, fee.version)],
        description=DESCRIPTION, expires_at=row.hold_expires_at,
    )  # fmt: skip
    await intend(session, booking.EXPIRE_HOLD, row.id, due=row.hold_expires_at)


async def paid(session: AsyncSession, row: Appointment) -> events.Money:
    """What the consultation cost."""
    payment = await payments.of_subject(session, booking.SUBJECT, row.id)
    if payment is not None:
        return payments.snapshot(payment)
    version = await session.scalar(select(prices.version_at(row.booked_at or row.starts_at)))
    return events.Money(0, NO_CHANNEL, "", version or "")


async def finish(session: AsyncSession, actor: Actor, row: Consultation, answer: str) -> bool:
    """The doctor ends it with her answer in short."""
    await lock_stream(session, row.stream)
    await session.refresh(row)
    booked = await appointments.appointment(session, row.appointment_id)
    now = clock_of(session).now()
    began = row.started_at or now
    event = events.ConsultationCompleted(
        visit=await encounters.snapshot(session, row), applied_at=booked.booked_at or began, started_at=began,
        completed_at=now, question=booked.complaint, answer=answer, payment=await paid(session, booked),
        process_data_reference=f"{PROCESS_DATA}{row.id}",
    )  # fmt: skip
    moved = await advance(session, row, "finish", actor, event=event, ended_at=now, answer=answer)
    if moved:
        touch(session, f"chat:{row.id}", f"queue:{row.practitioner_id}")
    return moved
