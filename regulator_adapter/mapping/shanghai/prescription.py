"""电子处方 `uploadPrescription`: every step of its life."""

from typing import Any

from contracts.events import (
    EncounterStarted,
    Practitioner,
    Prescription,
    PrescriptionApproved,
    PrescriptionCancelled,
    PrescriptionExpired,
    PrescriptionItem,
    PrescriptionReturned,
    PrescriptionSigned,
)
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import age, day, iso, valid_days
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header, visit_block, visit_number
from regulator_adapter.mapping.source import Source

Step = (
    PrescriptionSigned
    | PrescriptionApproved
    | PrescriptionReturned
    | PrescriptionCancelled
    | PrescriptionExpired
)

GUARDED_BELOW = 6
USUAL_DAYS = 7
"""处方管理办法 Art 19: for longer, the doctor says why."""
LIMIT = 200


def numbers(event: Step) -> list[str]:
    """The look-up number."""
    return [event.prescription.lookup_id]


def build(source: Source[Step], number: str) -> dict[str, Any]:
    """One step. None of these states is a paid one: what was paid is reported as a payment."""
    event = source.event
    signed = event if isinstance(event, PrescriptionSigned) else _signed(source)
    return (
        header(source)
        | visit_block(event.visit)
        | _content(event.prescription)
        | {
            "recipeUniqueID": number,
            "visitNo": visit_number(event.visit),
            "signedAt": iso(signed.signed_at) if signed else None,
            "doctorSignature": signed.signature if signed else None,
            "isPay": "0",
        }
        | _beside_the_child(source)
        | _step(event)
    )


def _beside_the_child(source: Source[Step]) -> dict[str, Any]:
    """Of a child under six: what the doctor confirmed when she accepted, of guardian and specialist in one (诊疗办法 Art 19)."""
    visit = source.event.visit
    if age(visit.patient.birth_date, day(visit.starts_at)) >= GUARDED_BELOW:
        return {}
    started = source.last(EncounterStarted, lambda one: one.visit.appointment_id == visit.appointment_id)
    confirmed = "1" if started is not None and started.guardian_present else "0"
    return {"guardianPresent": confirmed, "specialistPresent": confirmed}


def _signed(source: Source[Step]) -> PrescriptionSigned | None:
    """The signature that the step is about; an edit voids it, so the contents must be the same."""
    content = source.event.prescription.content_digest
    return source.last(PrescriptionSigned, lambda one: one.prescription.content_digest == content)


def _content(prescription: Prescription) -> dict[str, Any]:
    return {
        "recipeID": prescription.number,
        "icdCode": "|".join(one.code for one in prescription.diagnoses),
        "icdName": "|".join(one.name for one in prescription.diagnoses),
        "recipeType": prescription.kind,
        "allergyInfo": prescription.allergies,
        "signDigest": prescription.content_digest,
        "effectivePeriod": valid_days(prescription.valid_from, prescription.valid_until),
        "validUntil": iso(prescription.valid_until),
        "overLimitReason": _over_limit(prescription),
        "totalFeeFen": prescription.total,
        "orderList": [_item(item) for item in prescription.items],
    }


def _over_limit(prescription: Prescription) -> str | None:
    """Why it is for longer than usual; for less, the doctor's reason was for something else."""
    longer = any(item.days > USUAL_DAYS for item in prescription.items)
    return prescription.reason.strip()[:LIMIT] or None if longer else None


def _step(event: Step) -> dict[str, Any]:
    if isinstance(event, PrescriptionSigned):
        return {"recipeStatus": "1"}
    if isinstance(event, PrescriptionApproved):
        findings = event.findings or ([] if event.rational else ["药师提示用药合理性问题"])
        return _auditor(event.pharmacist) | {
            "recipeStatus": "2",
            "checkDate": iso(event.approved_at),
            "auditSignature": event.signature,
            "rationalFlag": "1" if findings else "0",
            "rationalDrug": "；".join(findings),
        }
    if isinstance(event, PrescriptionReturned):
        return _auditor(event.pharmacist) | {
            "recipeStatus": "3",
            "checkDate": iso(event.returned_at),
            "returnReason": event.reason,
        }
    if isinstance(event, PrescriptionCancelled):
        return {
            "recipeStatus": "4",
            "cancelledAt": iso(event.cancelled_at),
            "cancelReason": event.reason,
        }
    return (_auditor(event.pharmacist) if event.pharmacist else {}) | {
        "recipeStatus": "5",
        "expiredAt": iso(event.expired_at),
    }


def _auditor(pharmacist: Practitioner) -> dict[str, Any]:
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


KIND = RecordKind(PROFILE, "uploadPrescription", numbers, build, looks_back=True)
