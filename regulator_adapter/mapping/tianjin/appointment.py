"""预约挂号 `uploadAppointRecord`."""

from typing import Any

from contracts.events import AppointmentBooked
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
    """The booking, paid."""
    event = source.event
    visit = event.visit
    return (
        header(source, event.booked_at)
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
            "tradeNo": event.payment.trade_number,
        }
    )


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


KIND = RecordKind(PROFILE, "uploadAppointRecord", numbers, build)
