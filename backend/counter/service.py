"""Opening a case, booking in it, making the code by which a family member pays, and taking a bill over by that code."""

import secrets
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment import rules as booking_rules
from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.counter import queries, rules
from backend.counter.model import AssistedBooking, CounterCase, PayCode
from backend.counter.rules import Authority
from backend.encounter import service as visiting
from backend.encounter.model import Encounter
from backend.patient.model import Person
from backend.payment import queries as payments
from backend.payment.model import Payment
from backend.payment.service import payable
from backend.payment.states import PaymentState
from backend.schedule.rules import Channel
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.columns import blind_index
from foundation.db.guards import guarded
from foundation.db.locks import lock
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Invalid
from foundation.ids import new_id


def check(authority: Authority, callback_phone: str, proxy_name: str) -> None:
    """`Invalid` with everything that the authority lacks."""
    if issues := rules.authority_issues(authority, callback_phone=callback_phone, proxy_name=proxy_name):
        raise Invalid(issues=issues)


async def open_case(
    session: AsyncSession, actor: Actor, person: Person, *, authority: Authority, callback_phone: str, proxy_name: str,
    note: str,
) -> CounterCase:  # fmt: skip
    """Somebody is helped from here on."""
    assert actor.id is not None
    row = CounterCase(
        id=new_id(), person_id=person.id, staff_id=actor.id, authority=authority, callback_phone=callback_phone,
        proxy_name=proxy_name.strip(), note=note, opened_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    audit(
        session,
        actor,
        "counter.open",
        "person",
        person.id,
        detail={"case": str(row.id), "authority": authority.value},
    )
    return row


async def book(
    session: AsyncSession, actor: Actor, case: CounterCase, *, slot_id: UUID, eligibility_id: UUID, complaint: str,
    mode: str, drawn: bool = False,
) -> Appointment:  # fmt: skip
    """A place of the share kept for the counter, held longer, its bill waiting for whoever pays.

    Where that share is used up it is a place that everybody may have, unless those are `drawn`: a clerk's quick hand
    must not beat the lot.
    """
    assert actor.id is not None
    row = await booking.request(
        session, actor, person_id=case.person_id, slot_id=slot_id, eligibility_id=eligibility_id, complaint=complaint,
        mode=mode, channel=Channel.STAFF_ASSISTED, by=booking_rules.COUNTER,
        only_kept=drawn,
    )  # fmt: skip
    session.add(
        AssistedBooking(
            id=new_id(), case_id=case.id, appointment_id=row.id, staff_id=actor.id, booked_at=clock_of(session).now()
        )
    )  # fmt: skip
    audit(
        session, actor, "counter.book", "appointment", row.id,
        detail={"on_behalf_of": str(case.person_id), "case": str(case.id), "authority": case.authority.value},
    )  # fmt: skip
    await make_pay_code(session, actor, row)
    return row


async def make_pay_code(session: AsyncSession, actor: Actor, booked: Appointment) -> PayCode:
    """The code of a bill; a new one when nobody has begun to pay, and then the old one is worth nothing."""
    assert actor.id is not None
    payment = await payments.of_subject(session, booking.SUBJECT, booked.id)
    assert payment is not None
    payable(payment, clock_of(session).now())
    payment = await lock(session, Payment, payment.id)
    row = await queries.code_of(session, payment.id)
    if row is not None and payment.state != PaymentState.CREATED:
        raise Conflict("家人正在支付，不能更换缴费码", code="paying_already")
    code = rules.code_of(secrets.randbits(80))
    if row is None:
        row = PayCode(id=new_id(), payment_id=payment.id)
        session.add(row)
    row.code, row.code_index = code, blind_index("pay_code.code", code)
    row.made_by, row.made_at, row.taken_by, row.taken_at = actor.id, clock_of(session).now(), None, None
    payment.account_id = None
    await session.flush()
    audit(session, actor, "counter.pay_code", "payment", payment.id)
    return row


async def take_bill(session: AsyncSession, actor: Actor, text: str) -> Payment:
    """The account that has the code pays the bill; nothing else of the visit becomes hers. The first one to come has it."""
    coded = await queries.by_code(session, text)
    payment = await lock(session, Payment, coded.payment.id)
    payable(payment, clock_of(session).now())
    row = await lock(session, PayCode, coded.row.id)
    if guarded("code_again"):
        await queries.by_code(session, text)  # it may have been replaced while we waited
    if row.taken_by is not None and row.taken_by != actor.id:
        raise Conflict("已有其他家人打开此账单", code="pay_code_taken")
    if row.taken_by is None:
        row.taken_by, row.taken_at, payment.account_id = actor.id, clock_of(session).now(), actor.id
        audit(session, actor, "counter.take_bill", "payment", payment.id)
    return payment


async def check_in(session: AsyncSession, actor: Actor, booked: Appointment) -> Encounter:
    """Staff say that the patient is there: in the hospital's room for online visits, or by a relative's phone."""
    if booked.encounter_id is None:
        raise Conflict("请先支付诊查费", code="not_booked")
    return await visiting.check_in(session, actor, booked)


async def cancel(session: AsyncSession, actor: Actor, case: CounterCase, booked: Appointment) -> None:
    """As the patient would, by the rules for her."""
    booked = await appointments.appointment(session, booked.id)
    if booked.state not in (AppointmentState.PENDING, AppointmentState.BOOKED):
        raise Conflict("患者已候诊或预约已结束，不能在窗口取消", code="too_late")
    await visiting.cancel_by_patient(session, actor, booked)
    detail = {"on_behalf_of": str(case.person_id), "case": str(case.id), "authority": case.authority.value}
    audit(session, actor, "counter.cancel", "appointment", booked.id, detail=detail)
