"""在线复诊 `uploadReferralIndicators`: once per visit, when it has ended one way or another."""

from typing import Any

from contracts.events import EncounterCompleted, EncounterDiscontinued
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin import encounters
from regulator_adapter.mapping.tianjin.blocks import (
    PROFILE,
    doctor,
    guardian,
    header,
    names,
    patient,
    subject,
    told,
    visit_day,
)
from regulator_adapter.mapping.tianjin.encounters import Ended


def numbers(event: Ended) -> list[str]:
    """The visit's."""
    return [encounters.number_of(event)]


def build(source: Source[Ended], number: str) -> dict[str, Any]:
    """`referralFlag` is the doctor's own judgement, so a declined visit, which nobody judged, carries 0."""
    event = source.event
    visit = event.visit
    found = encounters.diagnoses(event)
    judged = isinstance(event, EncounterCompleted | EncounterDiscontinued)
    return (
        header(source, encounters.ended_at(event))
        | subject(visit.department)
        | doctor(visit.practitioner)
        | patient(visit, visit_day(visit))
        | guardian(visit)
        | encounters.course(source, "returnVisitPrice")
        | {
            "bussID": number,
            "guardianMobile": visit.guardian.phone if visit.guardian else None,
            "returnVisitType": codesets.translate(codesets.VISIT_TYPE, visit.mode),
            "diseasesHistory": encounters.history(event),
            "mainDiagnoseCode": (found or [event.original_diagnosis])[0].code,
            "thisDiagnosis": names(found),
            "originalDiagnosis": told(event.original_diagnosis),
            "referralFlag": "1" if judged else "0",
            "diagNoFillReason": event.reason if not isinstance(event, EncounterCompleted) else None,
        }
    )


KIND = RecordKind(PROFILE, "uploadReferralIndicators", numbers, build, looks_back=True)
