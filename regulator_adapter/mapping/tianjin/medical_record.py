"""电子病历 `uploadElectMedicalRecord`."""

from typing import Any

from contracts.events import RecordSigned
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import age
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import (
    PROFILE,
    codes,
    header,
    names,
    visit_day,
    visit_number,
)


def numbers(event: RecordSigned) -> list[str]:
    """The record's id."""
    return [str(event.record_id)]


def build(source: Source[RecordSigned], number: str) -> dict[str, Any]:
    """The signed record of one visit; here the platform spells `doctorID` with a capital D."""
    event = source.event
    visit, person, on = event.visit, event.visit.patient, visit_day(event.visit)
    return header(source, event.signed_at) | {
        "caseNo": number,
        "deptID": visit.department.code,
        "deptName": visit.department.name,
        "doctorID": visit.practitioner.code,
        "doctorName": visit.practitioner.name,
        "doctorCertID": visit.practitioner.id_number,
        "furtherConsultNo": visit_number(visit),
        "diagnosisCode": codes(event.diagnoses),
        "furtherConsultDiagnosis": names(event.diagnoses),
        "visitDate": on.isoformat(),
        "patientName": person.name,
        "patientSex": codesets.translate(codesets.SEX, person.sex),
        "patientAge": age(person.birth_date, on),
        "patientIdcardType": codesets.translate(codesets.CERTIFICATE_TIANJIN, person.id_kind),
        "patientIdcardNum": person.id_number,
        "phone": person.phone,
        "chiefComplaint": event.chief_complaint,
        "presentHistory": event.present_history,
        "assistResult": event.examination,
        "diagnosticOpinion": event.opinion,
    }


KIND = RecordKind(PROFILE, "uploadElectMedicalRecord", numbers, build)
