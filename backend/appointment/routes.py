"""Booking, as the patient does it."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries, service
from backend.appointment.model import Appointment
from backend.appointment.wire import AppointmentView, BookRequest, appointment_view
from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.fairness.draw import require_no_draw
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.practitioner import queries as practitioners
from backend.rates import admit
from foundation.web.endpoint import get, send


async def view(session: AsyncSession, row: Appointment) -> AppointmentView:
    """The patient's view of an appointment."""
    person = await patients.person(session, row.person_id)
    doctor = await practitioners.practitioner(session, row.practitioner_id)
    department = await practitioners.department(session, row.department_code)
    payment = await payments.of_subject(session, service.SUBJECT, row.id)
    return appointment_view(
        row, person_name=person.name, practitioner_name=doctor.name, practitioner_title=doctor.title_name,
        department_name=department.name, payment_id=payment.id if payment else None,
        ahead=await queries.ahead_of(session, row),
    )  # fmt: skip


async def book(call: ApiCall, body: BookRequest) -> AppointmentView:
    """Hold a place and open its bill."""
    await require_no_draw(call.app, body.slot_id)
    await admit(call, "book", body.person_id)
    row = await service.request(
        call.session, call.actor, person_id=body.person_id, slot_id=body.slot_id, eligibility_id=body.eligibility_id,
        complaint=body.complaint, mode=body.mode,
    )  # fmt: skip
    return await view(call.session, row)


async def list_own(call: ApiCall) -> list[AppointmentView]:
    """Appointments of everybody this account may act for."""
    assert call.actor.id is not None
    return [await view(call.session, row) for row in await queries.of_account(call.session, call.actor.id)]


async def show(call: ApiCall) -> AppointmentView:
    """One appointment."""
    return await view(call.session, await queries.visible(call.session, call.actor, call.id()))


ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/appointments", book, body=BookRequest, reply=AppointmentView, summary="预约",
         family=Family.PERSONAL_VISIT, roles=[PATIENT], status=201, audited="appointment.request"),
    get("/appointments", list_own, reply=list[AppointmentView], summary="我的预约", family=Family.PERSONAL_VISIT,
        roles=[PATIENT]),
    get("/appointments/{id}", show, reply=AppointmentView, summary="预约详情", family=Family.PERSONAL_VISIT,
        roles=[PATIENT]),
]  # fmt: skip
