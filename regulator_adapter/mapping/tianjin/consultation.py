"""在线咨询 `uploadConsultIndicators`: health consultations (健康咨询), which have neither diagnosis nor prescription."""

from typing import Any

from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin import encounters
from regulator_adapter.mapping.tianjin.blocks import PROFILE, doctor, header, patient, subject, visit_day
from regulator_adapter.mapping.tianjin.encounters import Ended

MEDICAL = "1"
"""consultationAttribute 诊疗咨询; the event does not tell consultations apart."""


def numbers(event: Ended) -> list[str]:
    """The visit's, for consultations."""
    return [] if encounters.is_follow_up(event) else [encounters.number_of(event)]


def build(source: Source[Ended], number: str) -> dict[str, Any]:
    """`onsultationAttribute` is spelt as the platform spells it."""
    visit = source.event.visit
    return (
        header(source, encounters.ended_at(source.event))
        | subject(visit.department)
        | doctor(visit.practitioner)
        | patient(visit, visit_day(visit))
        | encounters.course(source, "consultationPrice")
        | {
            "bussID": number,
            "consultationType": codesets.translate(codesets.VISIT_TYPE, visit.mode),
            "onsultationAttribute": MEDICAL,
            "content": encounters.history(source.event),
        }
    )


KIND = RecordKind(PROFILE, "uploadConsultIndicators", numbers, build, looks_back=True)
