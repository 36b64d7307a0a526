"""Blocks that several of Tianjin's records share."""

from datetime import date, datetime
from typing import Any

from contracts.events import Department, Diagnosis, Practitioner, Visit
from regulator_adapter import codesets
from regulator_adapter.mapping.local import age, day, stamp
from regulator_adapter.mapping.source import Source

PROFILE = "tianjin-1.0"
GUARDED_BELOW = 6
NO_DIAGNOSIS = "无"


def header(source: Source[Any], updated: datetime) -> dict[str, Any]:
    """Common header of every record."""
    return {
        "organID": source.organisation.code,
        "unitID": source.organisation.unit_id,
        "organName": source.organisation.name,
        "updateTime": stamp(updated),
    }


def subject(department: Department) -> dict[str, Any]:
    """诊疗科目 and department."""
    return {
        "subjectCode": department.subject_code,
        "subjectName": department.subject_name,
        "deptID": department.code,
        "deptName": department.name,
    }


def doctor(practitioner: Practitioner) -> dict[str, Any]:
    """The doctor, as most records spell it."""
    return {
        "doctorId": practitioner.code,
        "doctorCertID": practitioner.id_number,
        "doctorName": practitioner.name,
    }


def patient(visit: Visit, on: date, *, type_field: str = "patientCertType") -> dict[str, Any]:
    """The patient; `on` is the day her age is told for."""
    person = visit.patient
    return {
        type_field: codesets.translate(codesets.CERTIFICATE_TIANJIN, person.id_kind),
        "patientCertID": person.id_number,
        "patientName": person.name,
        "age": age(person.birth_date, on),
        "sex": codesets.translate(codesets.SEX, person.sex),
        "mobile": person.phone,
    }


def guardian(visit: Visit) -> dict[str, Any]:
    """Who answers for a child under six (the platform makes it mandatory there)."""
    if visit.guardian is None:
        return {}
    return {"guardianCertID": visit.guardian.id_number, "guardianName": visit.guardian.name}


def names(diagnoses: list[Diagnosis]) -> str:
    """Names joined with `|`, 无 when there are none."""
    return "|".join(one.name for one in diagnoses) or NO_DIAGNOSIS


def codes(diagnoses: list[Diagnosis]) -> str:
    """Codes joined with `|`."""
    return "|".join(one.code for one in diagnoses)


def told(diagnosis: Diagnosis) -> str:
    """A diagnosis in words: name and code."""
    return f"{diagnosis.name}（{diagnosis.code}）"


def visit_number(visit: Visit) -> str:
    """The one number of a visit."""
    return str(visit.appointment_id)


def business_type(visit: Visit) -> codesets.Translated:
    """What kind of business a visit is: a follow-up, or a consultation by its mode."""
    if visit.kind == "follow_up":
        return codesets.FOLLOW_UP_BUSINESS
    return codesets.translate(codesets.CONSULTATION_TYPE, visit.mode)


def visit_day(visit: Visit) -> date:
    """Day of the visit in Shanghai."""
    return day(visit.starts_at)
