"""电子病历 `uploadElectMedicalRecord`."""

from typing import Any

from contracts.events import RecordAmended, RecordSigned
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
    """The record of one visit as it stands when it goes out; here the platform spells `doctorID` with a capital D."""
    event = _as_it_stands(source)
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


def _as_it_stands(source: Source[RecordSigned]) -> RecordSigned:
    """The last signed version: the number goes once, and a text that was amended before its night must not be what the platform keeps."""
    signed = source.event
    amended = [
        one for one in source.later if isinstance(one, RecordAmended) and one.record_id == signed.record_id
    ]
    return max([signed, *amended], key=lambda one: one.record_version)


KIND = RecordKind(PROFILE, "uploadElectMedicalRecord", numbers, build, settles=True)
