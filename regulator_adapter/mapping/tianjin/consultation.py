"""在线咨询 `uploadConsultIndicators`: health consultations (健康咨询), which have neither diagnosis nor prescription."""

from typing import Any

from contracts.events import ConsultationCompleted
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin import encounters
from regulator_adapter.mapping.tianjin.blocks import PROFILE, doctor, header, patient, subject, visit_day
from regulator_adapter.mapping.tianjin.encounters import Advised

MEDICAL = "1"
"""consultationAttribute 诊疗咨询: of the platform's five the one that comes nearest to a doctor's advice."""
LIMIT = 500
NO_WORDS = "未填写"


def numbers(event: Advised) -> list[str]:
    """The visit's."""
    return [encounters.number_of(event)]


def build(source: Source[Advised], number: str) -> dict[str, Any]:
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
            "content": content(source.event),
        }
    )


def content(event: Advised) -> str:
    """Question and answer in the 500 characters there are; the answer is kept whole as far as it goes."""
    question = event.question.strip() or NO_WORDS
    if not isinstance(event, ConsultationCompleted):
        return f"咨询：{question}"[:LIMIT]
    answer = f"；答复：{event.answer.strip()}"[: LIMIT - 20]
    return f"咨询：{question}"[: LIMIT - len(answer)] + answer


KIND = RecordKind(PROFILE, "uploadConsultIndicators", numbers, build, looks_back=True)
