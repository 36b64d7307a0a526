"""Which number of a record is the visit's, which time is the event's, and what it makes known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.supervision.tables import Method
from simulators.supervision.times import from_wire, utc_text

Record = Mapping[str, Any]

_VISIT_FIELDS = {
    "uploadAppointRecord": ("visitNo", "bussID"),
    "uploadElectMedicalRecord": ("furtherConsultNo",),
    "uploadDrugCatalogue": (),
    "pushMedicalDispute": (),
}
_SHARED = ("eligibilityNo", "bookingNo", "recipeUniqueID", "recipeID", "subjectNo")
_TIME_FIELDS = {
    "uploadAppointRecord": ("appointDate",),
    "uploadConsultIndicators": ("endDate", "startDate", "applyDate"),
    "uploadReferralIndicators": ("endDate", "startDate", "applyDate"),
    "uploadRecipeIndicators": ("checkDate", "datein"),
    "uploadRecipeVerificationIndicators": ("VerificationTime",),
    "uploadBusinessInfoAfter": ("evaluationTime",),
    "pushMedicalDispute": ("reportDate",),
}


@dataclass(frozen=True)
class Keys:
    """`numbers` are shared with other records: they tell a record without visit number where it belongs."""

    business_no: str
    visit_no: str | None
    numbers: tuple[str, ...]
    event_type: str | None
    doctor_id: str | None
    patient_id: str | None
    occurred_at: str


def keys_of(method: Method, record: Record) -> Keys:
    visit_fields = _VISIT_FIELDS.get(method.name, ("visitNo", "bussID"))
    times = ("occurredAt", *_TIME_FIELDS.get(method.name, ()), "updateTime")
    return Keys(
        business_no=_text(record, method.register[1]) or "",
        visit_no=_first(record, visit_fields),
        numbers=tuple(dict.fromkeys(number for field in _SHARED if (number := _text(record, field)))),
        event_type=_text(record, "eventType"),
        doctor_id=_first(record, ("doctorId", "doctorID")),
        patient_id=_first(record, ("patientId", "personId", "patientCertID", "patientIdcardNum")),
        occurred_at=utc_text(from_wire(_first(record, times) or "")),
    )


def made_known(method: Method, record: Record) -> list[tuple[str, str, str]]:
    """(kind, number, value) of everything later records may depend on."""
    kind, field = method.register
    number = _text(record, field)
    known = [(kind, number, _text(record, "useFlag") or "")] if number else []
    if method.name == "uploadFollowUp" and str(record["phase"]) == "1":
        known = []  # an eligibility is no visit yet
    if kind == "prescription" and (visit := _first(record, ("visitNo", "bussID"))):
        known.append(("prescription of visit", visit, ""))
    return known


def _first(record: Record, fields: tuple[str, ...]) -> str | None:
    return next((value for field in fields if (value := _text(record, field))), None)


def _text(record: Record, field: str) -> str | None:
    """An empty list in a field that may be missing is nothing, as it is for the checks."""
    value = record.get(field)
    return str(value).strip() or None if isinstance(value, str | int | float) else None
