"""What follow-up and consultation have in common: how a visit of either kind began, ended or did not come about."""

from typing import Any

from contracts.events import (
    AppointmentBooked,
    ConsultationCompleted,
    ConsultationDeclined,
    ConsultationDiscontinued,
    Diagnosis,
    EncounterCompleted,
    EncounterDeclined,
    EncounterDiscontinued,
)
from contracts.money import yuan
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import told, visit_number

Ended = EncounterCompleted | EncounterDeclined | EncounterDiscontinued
Advised = ConsultationCompleted | ConsultationDeclined | ConsultationDiscontinued


def booked(source: Source[Ended] | Source[Advised]) -> AppointmentBooked | None:
    """The booking of the same visit: what it cost and when it was asked for."""
    number = source.event.visit.appointment_id
    return source.last(AppointmentBooked, lambda event: event.visit.appointment_id == number)


def course(source: Source[Ended] | Source[Advised], price_field: str) -> dict[str, Any]:
    """Times, price and whether the doctor accepted."""
    event, booking = source.event, booked(source)
    if isinstance(event, EncounterCompleted | ConsultationCompleted):
        return {
            "applyDate": stamp(event.applied_at),
            "startDate": stamp(event.started_at),
            "endDate": stamp(event.completed_at),
            "paymentChannel": event.payment.channel,
            price_field: yuan(event.payment.amount),
            "answerFlag": "1",
            "processDataURL": event.process_data_reference,
        }
    paid = {
        "applyDate": stamp(booking.booked_at) if booking else None,
        "paymentChannel": booking.payment.channel if booking else None,
        price_field: yuan(booking.payment.amount) if booking else None,
    }
    if isinstance(event, EncounterDeclined | ConsultationDeclined):
        return paid | {
            "answerFlag": "0",
            "refuseTime": stamp(event.declined_at),
            "refuseReason": event.reason,
            "refuseType": event.refuse_type,
        }
    return paid | {
        "answerFlag": "1",
        "startDate": stamp(event.started_at),
        "endDate": stamp(event.discontinued_at),
    }


def diagnoses(event: Ended) -> list[Diagnosis]:
    """What was found; nothing when the visit did not get that far."""
    return event.diagnoses if isinstance(event, EncounterCompleted) else []


def history(event: Ended) -> str:
    """病史摘要: the doctor's, or the diagnosis the patient came with."""
    if isinstance(event, EncounterCompleted) and event.disease_history.strip():
        return event.disease_history
    return f"原诊断：{told(event.original_diagnosis)}"


def ended_at(event: Ended | Advised) -> Any:
    """When it was over."""
    if isinstance(event, EncounterCompleted | ConsultationCompleted):
        return event.completed_at
    if isinstance(event, EncounterDeclined | ConsultationDeclined):
        return event.declined_at
    return event.discontinued_at


def number_of(event: Ended | Advised) -> str:
    """The visit's number."""
    return visit_number(event.visit)
