"""电子处方 `uploadRecipeIndicators`: once, in its terminal state (practice.md 19)."""

from datetime import datetime
from typing import Any

from contracts.events import (
    DispenseCompleted,
    Practitioner,
    PrescriptionApproved,
    PrescriptionExpired,
    PrescriptionItem,
    PrescriptionSigned,
)
from contracts.money import yuan
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import day, stamp, valid_days
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import (
    PROFILE,
    codes,
    doctor,
    guardian,
    header,
    names,
    patient,
    subject,
    visit_day,
    visit_number,
)

Terminal = DispenseCompleted | PrescriptionExpired

FROM_FOLLOW_UP = "4"


def numbers(event: Terminal) -> list[str]:
    """The look-up number; none when nobody reviewed it: an unreviewed prescription never took effect (医院办法 Art 20)."""
    return [event.prescription.lookup_id] if event.pharmacist is not None else []


def build(source: Source[Terminal], number: str) -> dict[str, Any]:
    """The prescription as it ended: dispensed, or expired unpaid."""
    event, prescription = source.event, source.event.prescription
    visit, begin, end = event.visit, prescription.valid_from, prescription.valid_until
    signed = source.last(
        PrescriptionSigned, lambda one: one.prescription.prescription_id == prescription.prescription_id
    )
    dispensed = isinstance(event, DispenseCompleted)
    return (
        header(source, ended_at(event))
        | subject(visit.department)
        | doctor(visit.practitioner)
        | patient(visit, visit_day(visit), type_field="patientCardType")
        | guardian(visit)
        | _review(source)
        | {
            "bussID": visit_number(visit),
            "bussSource": FROM_FOLLOW_UP,
            "allergyInfo": prescription.allergies,
            "diseasesHistory": prescription.disease_history,
            "recipeUniqueID": number,
            "recipeID": prescription.number,
            "icdCode": codes(prescription.diagnoses),
            "icdName": names(prescription.diagnoses),
            "recipeType": prescription.kind,
            "datein": stamp(signed.signed_at if signed else begin),
            "effectivePeriod": valid_days(begin, end),
            "startDate": day(begin).isoformat(),
            "endDate": day(end).isoformat(),
            "totalFee": yuan(prescription.total),
            "isPay": "1" if dispensed else "0",
            "verificationStatus": "1" if dispensed else "0",
            "orderList": [_item(item) for item in prescription.items],
            "CAInfo": signed.signature if signed else None,
        }
    )


def ended_at(event: Terminal) -> datetime:
    """Completed or expired."""
    return event.completed_at if isinstance(event, DispenseCompleted) else event.expired_at


def _review(source: Source[Terminal]) -> dict[str, Any]:
    event = source.event
    approved = source.last(
        PrescriptionApproved,
        lambda one: one.prescription.prescription_id == event.prescription.prescription_id,
    )
    if isinstance(event, DispenseCompleted):
        checked: datetime | None = event.approved_at
        findings = event.findings
    else:
        checked = approved.approved_at if approved else None
        findings = approved.findings if approved else []
    return {
        **_auditor(event.pharmacist),
        "checkDate": stamp(checked),
        "rationalFlag": "1" if findings else "0",
        "rationalDrug": "；".join(findings),
    }


def _auditor(pharmacist: Practitioner | None) -> dict[str, Any]:
    if pharmacist is None:
        return {}
    return {
        "auditDoctorId": pharmacist.code,
        "auditDoctorCertID": pharmacist.id_number,
        "auditDoctor": pharmacist.name,
    }


def _item(item: PrescriptionItem) -> dict[str, Any]:
    return {
        "drcode": item.drug_code,
        "drname": item.name,
        "drmodel": item.strength,
        "pack": item.pack,
        "packUnit": item.pack_unit,
        "drugManf": item.manufacturer,
        "admission": item.route_code,
        "frequency": item.frequency_name,
        "dosage": item.dose,
        "drunit": item.dose_unit,
        "dosageTotal": str(item.quantity),
        "doseUnit": item.pack_unit,
        "useDays": item.days,
        "otcFlag": "1" if item.otc else "0",
        "remark": item.note,
    }


KIND = RecordKind(PROFILE, "uploadRecipeIndicators", numbers, build, looks_back=True)
