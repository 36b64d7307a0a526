"""Blocks that several of the proposal's records share."""

from datetime import date
from typing import Any

from contracts.events import Department, Guardian, Person, Practitioner, Visit
from regulator_adapter import codesets
from regulator_adapter.mapping.local import age, day, iso
from regulator_adapter.mapping.source import Source

PROFILE = "shanghai"


def header(source: Source[Any]) -> dict[str, Any]:
    """Who reports, and the event's place in stream, hospital and chain."""
    place = source.place
    return {
        "organID": source.organisation.code,
        "unitID": source.organisation.unit_id,
        "organName": source.organisation.name,
        "eventId": str(place.event_id),
        "eventType": place.type,
        "stream": place.stream,
        "streamSeq": place.sequence,
        "hospitalSeq": place.number,
        "eventDigest": place.digest.hex(),
        "chainHash": place.head.hex(),
        "occurredAt": iso(place.occurred_at),
    }


def patient(person: Person, on: date) -> dict[str, Any]:
    """The patient; `on` is the day her age is told for."""
    return {
        "patientId": str(person.person_id),
        "patientCertType": person.id_kind,
        "patientCertID": person.id_number,
        "patientName": person.name,
        "birthDate": person.birth_date.isoformat(),
        "age": age(person.birth_date, on),
        "sex": codesets.translate(codesets.SEX_NATIONAL, person.sex),
        "mobile": person.phone,
    }


def guardian(who: Guardian | None) -> dict[str, Any]:
    """Who answers for a child under six."""
    if who is None:
        return {}
    return {
        "guardianName": who.name,
        "guardianCertID": who.id_number,
        "guardianMobile": who.phone,
        "guardianRelation": who.relation,
    }


def department(where: Department) -> dict[str, Any]:
    """诊疗科目 and department."""
    return {
        "subjectCode": where.subject_code,
        "subjectName": where.subject_name,
        "deptID": where.code,
        "deptName": where.name,
    }


def doctor(who: Practitioner) -> dict[str, Any]:
    """The doctor of the visit."""
    return {"doctorId": who.code, "doctorCertID": who.id_number, "doctorName": who.name}


def visit_block(visit: Visit) -> dict[str, Any]:
    """Patient, guardian, department and doctor of a visit."""
    return (
        patient(visit.patient, day(visit.starts_at))
        | guardian(visit.guardian)
        | department(visit.department)
        | doctor(visit.practitioner)
    )


def eligibility(visit: Visit) -> dict[str, Any]:
    """The decision a follow-up rests on; nothing for events that were written before they named it."""
    return {"eligibilityNo": str(visit.eligibility_id)} if visit.eligibility_id else {}


def visit_number(visit: Visit) -> str:
    """The one number of a visit."""
    return str(visit.appointment_id)


def staff_kind(who: Practitioner) -> codesets.Translated:
    """Doctor or pharmacist, told by the title code."""
    return codesets.translate(codesets.STAFF_BY_TITLE, who.title_code[:2])
