"""Rules of the shanghai profile that look at several fields of one record."""

from collections.abc import Mapping
from typing import Any

from simulators.supervision.answers import Inner, RecordRefusalError

STATUS_FIELD = {
    "uploadBooking": "bookingStatus",
    "uploadFollowUp": "phase",
    "uploadPrescription": "recipeStatus",
    "uploadPayment": "direction",
    "uploadComplaint": "kind",
}
STATUS_OF_EVENT = {
    "appointment.booked": "1",
    "appointment.cancelled": "2",
    "appointment.moved": "3",
    "eligibility.decided": "1",
    "encounter.started": "2",
    "encounter.declined": "3",
    "encounter.discontinued": "4",
    "encounter.completed": "5",
    "prescription.signed": "1",
    "prescription.approved": "2",
    "prescription.returned": "3",
    "prescription.cancelled": "4",
    "prescription.expired": "5",
    "payment.confirmed": "1",
    "refund.succeeded": "2",
    "complaint.filed": "1",
    "adverse_event.reported": "2",
}


def check_agreement(method: str, record: Mapping[str, Any]) -> None:
    """Status agrees with the event's type; tenders add up. Raises RecordRefusalError."""
    field = STATUS_FIELD.get(method)
    if field and str(record[field]) != STATUS_OF_EVENT[record["eventType"]]:
        raise RecordRefusalError(Inner.FAILED, f"{field}与eventType不一致")
    tenders = record.get("tenders")
    if tenders and sum(one["amountFen"] for one in tenders) != record["amountFen"]:
        raise RecordRefusalError(Inner.FAILED, "tenders合计与amountFen不一致")
