"""Which number of a record is the visit's, which time is the event's, and what it makes known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.supervision.meanings import LINK, told
from simulators.supervision.tables import Method
from simulators.supervision.times import from_wire, utc_text

Record = Mapping[str, Any]

_VISIT_FIELDS = {
    "uploadAppointRecord": ("visitNo", "bussID"),
    "uploadElectMedicalRecord": ("furtherConsultNo",),
    "uploadDrugCatalogue": (),
    "pushMedicalDispute": (),
    "bb_pi_drug": (),
    "bb_pi_staff": (),
    "bb_pi_org_business": (),
    "bb_pi_person": (),
}
_ANY_VISIT = ("visitNo", "bussID", "jzlsh")
_SHARED = ("eligibilityNo", "bookingNo", "recipeUniqueID", "recipeID", "subjectNo", "cfbs", "cfbh")
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
    """`numbers` are shared with other records: they tell a record without visit number where it belongs.

    `kind` is what the record tells (meanings.py), `event_type` what a record of the chain calls itself.
    """

    business_no: str
    visit_no: str | None
    numbers: tuple[str, ...]
    event_type: str | None
    kind: str
    doctor_id: str | None
    patient_id: str | None
    reviewer_id: str | None
    organ_id: str | None
    dept_id: str | None
    occurred_at: str


def keys_of(method: Method, record: Record) -> Keys:
    visit_fields = _VISIT_FIELDS.get(method.name, _ANY_VISIT)
    said = told(method.name, record)
    times = ("occurredAt", *_TIME_FIELDS.get(method.name, ()), "updateTime", "sjscsj")
    return Keys(
        business_no=_text(record, method.register[1]) or "",
        visit_no=_first(record, visit_fields),
        numbers=tuple(dict.fromkeys(number for field in _SHARED if (number := _text(record, field)))),
        event_type=_text(record, "eventType"),
        kind=said.kind,
        doctor_id=_text(said.body, "doctorId"),
        patient_id=_first(said.body, ("patientId", "personId", "patientCertID")),
        reviewer_id=_text(said.body, "auditDoctorId"),
        organ_id=_text(said.body, "organID"),
        dept_id=None if method.name == LINK else _text(said.body, "deptID"),
        occurred_at=utc_text(from_wire(_first(record, times) or "")),
    )


def made_known(method: Method, record: Record) -> list[tuple[str, str, str]]:
    """(kind, number, value) of everything later records may depend on."""
    kind, field = method.register
    number = _text(record, field)
    known = [(kind, number, _first(record, ("useFlag", "qybz")) or "")] if number else []
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
