"""预约挂号 `uploadBooking`: a place moved or given back; what was booked and paid is told from the booking of the same stream."""

from typing import Any

from contracts.events import AppointmentBooked, AppointmentCancelled, AppointmentMoved
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import day, iso
from regulator_adapter.mapping.shanghai.blocks import PROFILE, eligibility, header, visit_block, visit_number
from regulator_adapter.mapping.source import Source

Booking = AppointmentBooked | AppointmentMoved | AppointmentCancelled
STATUS = {AppointmentBooked.TYPE: "1", AppointmentCancelled.TYPE: "2", AppointmentMoved.TYPE: "3"}


def numbers(event: Booking) -> list[str]:
    """The visit's."""
    return [visit_number(event.visit)]


def build(source: Source[Booking], number: str) -> dict[str, Any]:
    """Booked (1), cancelled (2) or moved (3)."""
    event, visit = source.event, source.event.visit
    booked = (
        event
        if isinstance(event, AppointmentBooked)
        else source.last(
            AppointmentBooked, lambda one: one.visit.appointment_id == event.visit.appointment_id
        )
    )
    return (
        header(source)
        | visit_block(visit)
        | eligibility(visit)
        | {
            "bookingNo": number,
            "visitNo": number,
            "bookingStatus": STATUS[event.TYPE],
            "workDate": day(visit.starts_at).isoformat(),
            "startTime": iso(visit.starts_at),
            "endTime": iso(visit.ends_at),
            "orderNo": str(visit.serial_number),
        }
        | (_paid(booked) if booked else {})
        | (_cancelled(event) if isinstance(event, AppointmentCancelled) else {})
        | (_moved(event) if isinstance(event, AppointmentMoved) else {})
    )


def _paid(booked: AppointmentBooked) -> dict[str, Any]:
    return {
        "bookedAt": iso(booked.booked_at),
        "bookedBy": codesets.translate(codesets.BOOKED_BY, booked.booked_by),
        "priceFen": booked.payment.amount,
        "paymentChannel": booked.payment.channel,
        "tradeNo": booked.payment.trade_number,
    }


def _cancelled(event: AppointmentCancelled) -> dict[str, Any]:
    return {
        "cancelReason": event.reason,
        "cancelledBy": codesets.translate(codesets.CANCELLED_BY, event.by),
        "cancelledAt": iso(event.cancelled_at),
    }


def _moved(event: AppointmentMoved) -> dict[str, Any]:
    return {
        "moveReason": event.reason,
        "movedBy": codesets.translate(codesets.CANCELLED_BY, event.by),
        "movedAt": iso(event.moved_at),
        "movedFrom": iso(event.from_starts_at),
    }


KIND = RecordKind(PROFILE, "uploadBooking", numbers, build, looks_back=True)
