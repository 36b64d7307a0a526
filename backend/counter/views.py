"""Rows of the counter as its readers see them."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.appointment.states import APPOINTMENT
from backend.counter import queries, rules
from backend.counter.model import CounterCase
from backend.counter.wire import AssistedView, CaseView
from backend.fairness.queries import pause_of
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.payment.states import PaymentState
from backend.practitioner import queries as practitioners
from foundation.masking import mask_id_number, mask_name

PAY = "/pay/"


async def case_view(session: AsyncSession, row: CounterCase) -> CaseView:
    """A case with what was booked in it."""
    person = await patients.person(session, row.person_id)
    pause = await pause_of(session, person.id)
    return CaseView(
        id=row.id, person_id=person.id, person_name=mask_name(person.name), id_number=mask_id_number(person.id_number),
        authority=row.authority, authority_words=rules.WORDS[row.authority],
        consented=await patients.consented(session, person.id), paused_until=pause.ends_at if pause else None,
        opened_at=row.opened_at, appointment_ids=[one.id for one in await queries.booked_in(session, row.id)],
    )  # fmt: skip


async def assisted_view(session: AsyncSession, row: Appointment, front_url: str) -> AssistedView:
    """An appointment with its bill and the code that pays it."""
    doctor = await practitioners.practitioner(session, row.practitioner_id)
    payment = await payments.of_subject(session, booking.SUBJECT, row.id)
    assert payment is not None
    code = await queries.code_of(session, payment.id)
    is_open = code is not None and payment.state in (PaymentState.CREATED, PaymentState.PENDING)
    shown = code.code if code is not None and is_open else ""
    return AssistedView(
        appointment_id=row.id, state=row.state, state_label=APPOINTMENT.labels[row.state], practitioner_name=doctor.name,
        starts_at=row.starts_at, serial_number=row.serial_number, channel=row.channel, amount=payment.amount,
        payment_id=payment.id, payment_state=payment.state, pay_code=shown,
        pay_url=f"{front_url}{PAY}{shown}" if shown else "", pay_before=payment.expires_at,
    )  # fmt: skip
