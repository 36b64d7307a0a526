"""Booking, as the patient does it."""

from collections.abc import Hashable, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from backend.appointment import queries, service
from backend.appointment.holding import Held, Press, Replay
from backend.appointment.model import Appointment
from backend.appointment.rules import Wish
from backend.appointment.wire import AppointmentView, BookRequest, appointment_view
from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.fairness.draw import require_no_draw
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.practitioner import queries as practitioners
from backend.rates import admit
from foundation.db import idempotency
from foundation.db.calls import replay
from foundation.db.sharing import shared
from foundation.db.unit_of_work import Database
from foundation.errors import AppError
from foundation.logs import request_id
from foundation.together import Later, Together
from foundation.web.endpoint import get, send

CREATED = 201


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


async def book(call: ApiCall, body: BookRequest) -> Any:
    """Hold a place and open its bill. Requests that come at the same time go to the database together.

    The answer is made with the rows, because it is kept with the idempotency key: what comes back is the response itself.
    """
    await require_no_draw(call.app, body.slot_id)
    await admit(call, "book", body.person_id)
    key = call.key
    if key:
        idempotency.check(key)
    press = Press(
        call.actor, body.person_id, body.slot_id, body.eligibility_id, body.complaint, Wish(body.mode), call.actor.id,
        key, call.digest if key else b"", request_id.get(),
    )  # fmt: skip
    line: Together[Press, Held | Replay] = shared(call.db, _hold, keys=_keys)
    outcome = await line.ask(press)
    if isinstance(outcome, Replay):
        return replay(outcome.status, outcome.body)
    return Response(_body(outcome), CREATED, {"cache-control": "no-store"}, "application/json")


async def _hold(db: Database, presses: Sequence[Press]) -> Sequence[Held | Replay | AppError | Later]:
    return await service.request_together(db, presses, _answer)


def _keys(press: Press) -> frozenset[Hashable]:
    return press.keys


def _answer(held: Held) -> tuple[int, bytes]:
    return CREATED, _body(held)


def _body(held: Held) -> bytes:
    found = held.found
    return msgspec.json.encode(
        appointment_view(
            held.appointment, person_name=found.person_name, practitioner_name=found.practitioner_name,
            practitioner_title=found.practitioner_title, department_name=found.department_name,
            payment_id=held.payment_id, ahead=found.ahead,
        )
    )  # fmt: skip


async def list_own(call: ApiCall) -> list[AppointmentView]:
    """Appointments of everybody this account may act for."""
    assert call.actor.id is not None
    return [await view(call.session, row) for row in await queries.of_account(call.session, call.actor.id)]


async def show(call: ApiCall) -> AppointmentView:
    """One appointment."""
    return await view(call.session, await queries.visible(call.session, call.actor, call.id()))


ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/appointments", book, body=BookRequest, reply=AppointmentView, summary="预约",
         family=Family.PERSONAL_VISIT, roles=[PATIENT], status=CREATED, transaction=False, audited="appointment.request"),
    get("/appointments", list_own, reply=list[AppointmentView], summary="我的预约", family=Family.PERSONAL_VISIT,
        roles=[PATIENT]),
    get("/appointments/{id}", show, reply=AppointmentView, summary="预约详情", family=Family.PERSONAL_VISIT,
        roles=[PATIENT]),
]  # fmt: skip
