"""预约挂号 `bb_pi_appointment`: booked, moved, or given back (`cxbz` 1)."""

from typing import Any

from contracts.events import AppointmentBooked, AppointmentCancelled, AppointmentMoved
from contracts.money import yuan
from regulator_adapter.mapping.guangdong.blocks import PROFILE, doctor, patient, row, visit_number
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import day, stamp
from regulator_adapter.mapping.source import Source

Booking = AppointmentBooked | AppointmentMoved | AppointmentCancelled
STATUS = {AppointmentBooked.TYPE: "1", AppointmentCancelled.TYPE: "2", AppointmentMoved.TYPE: "3"}


def numbers(event: Booking) -> list[str]:
    """The visit's."""
    return [visit_number(event.visit)]


def build(source: Source[Booking], number: str) -> dict[str, Any]:
    """The place as it stands after this."""
    event, visit = source.event, source.event.visit
    booked = (
        event
        if isinstance(event, AppointmentBooked)
        else source.last(AppointmentBooked, lambda one: one.visit.appointment_id == visit.appointment_id)
    )
    return (
        row(source, number, revoked=isinstance(event, AppointmentCancelled))
        | patient(visit)
        | doctor(visit)
        | {
            "jzlsh": number,
            "yyzt": STATUS[event.TYPE],
            "yyjzrq": day(visit.starts_at).isoformat(),
            "kssj": stamp(visit.starts_at),
            "jssj": stamp(visit.ends_at),
            "xh": str(visit.serial_number),
            "bgyy": None if isinstance(event, AppointmentBooked) else event.reason,
        }
        | (_paid(booked) if booked else {})
    )


def _paid(booked: AppointmentBooked) -> dict[str, Any]:
    return {
        "yysj": stamp(booked.booked_at),
        "fy": yuan(booked.payment.amount),
        "zffs": booked.payment.channel,
        "zfdh": booked.payment.trade_number,
    }


KIND = RecordKind(PROFILE, "bb_pi_appointment", numbers, build, looks_back=True)
