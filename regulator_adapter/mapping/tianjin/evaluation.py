"""评价信息 `uploadBusinessInfoAfter`: only after the visit it is about."""

from typing import Any

from contracts.events import EvaluationSubmitted
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import PROFILE, business_type, doctor, header, visit_number

NO_WORDS = "未填写文字评价"
"""The platform wants words; a patient may give stars alone."""


def numbers(event: EvaluationSubmitted) -> list[str]:
    """The evaluation's id."""
    return [str(event.evaluation_id)]


def build(source: Source[EvaluationSubmitted], number: str) -> dict[str, Any]:
    """One rating of one visit."""
    event, visit = source.event, source.event.visit
    return (
        header(source, event.submitted_at)
        | doctor(visit.practitioner)
        | {
            "evaluateID": number,
            "bussID": visit_number(visit),
            "businessType": business_type(visit),
            "deptID": visit.department.code,
            "deptName": visit.department.name,
            "satisfaction": str(event.satisfaction),
            "scoring": event.score,
            "evaluation": event.text.strip() or NO_WORDS,
            "evaluationPeople": visit.patient.name,
            "evaluationTime": stamp(event.submitted_at),
        }
    )


KIND = RecordKind(PROFILE, "uploadBusinessInfoAfter", numbers, build)
