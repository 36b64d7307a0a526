"""预约挂号 `uploadAppointRecord`."""

from typing import Any

from contracts.events import AppointmentBooked, AppointmentCancelled, AppointmentMoved, Visit
from contracts.money import yuan
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import span, stamp
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import (
    PROFILE,
    doctor,
    guardian,
    header,
    patient,
    subject,
    visit_day,
    visit_number,
)


def numbers(event: AppointmentBooked) -> list[str]:
    """The visit's."""
    return [visit_number(event.visit)]


def build(source: Source[AppointmentBooked], number: str) -> dict[str, Any]:
    """The booking, paid, as it stands when it goes out: at the hour it was moved to, or with the reason it was given back for."""
    event = source.event
    visit = _as_it_stands(source)
    cancelled = source.next(
        AppointmentCancelled, lambda one: one.visit.appointment_id == visit.appointment_id
    )
    return (
        header(source, cancelled.cancelled_at if cancelled else event.booked_at)
        | subject(visit.department)
        | doctor(visit.practitioner)
        | patient(visit, visit_day(visit))
        | guardian(visit)
        | _booker(event)
        | {
            "bussID": number,
            "visitNo": number,
            "appointDate": stamp(event.booked_at),
            "workDate": span(visit.starts_at, visit.ends_at),
            "startTime": stamp(visit.starts_at),
            "endTime": stamp(visit.ends_at),
            "orderNo": str(visit.serial_number),
            "price": yuan(event.payment.amount),
            "paymentChannel": event.payment.channel,
            "cancelReason": cancelled.reason if cancelled else None,
            "tradeNo": event.payment.trade_number,
        }
    )


def _as_it_stands(source: Source[AppointmentBooked]) -> Visit:
    booked = source.event.visit
    moved = [
        one.visit
        for one in source.later
        if isinstance(one, AppointmentMoved) and one.visit.appointment_id == booked.appointment_id
    ]
    return moved[-1] if moved else booked


def _booker(event: AppointmentBooked) -> dict[str, Any]:
    """Who booked, where the event says so: the patient or her guardian. A proxy's name is not in it."""
    if event.booked_by == "self":
        person = event.visit.patient
        return {"appointUserName": person.name, "appointUserMobile": person.phone}
    if event.booked_by == "guardian" and event.visit.guardian is not None:
        return {
            "appointUserName": event.visit.guardian.name,
            "appointUserMobile": event.visit.guardian.phone,
        }
    return {}


KIND = RecordKind(PROFILE, "uploadAppointRecord", numbers, build, settles=True)
