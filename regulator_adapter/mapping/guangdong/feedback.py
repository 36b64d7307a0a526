"""评价 `bb_pi_evaluation` and 不良事件 `bb_pi_adverse_event`."""

from typing import Any

from contracts.events import AdverseEventReported, EvaluationSubmitted
from regulator_adapter.mapping.guangdong.blocks import PROFILE, row, visit_number
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source


def evaluations(event: EvaluationSubmitted) -> list[str]:
    """The evaluation's id."""
    return [str(event.evaluation_id)]


def build_evaluation(source: Source[EvaluationSubmitted], number: str) -> dict[str, Any]:
    """One rating of one visit."""
    event = source.event
    return row(source, number) | {
        "pjdm": number,
        "jzlsh": visit_number(event.visit),
        "myd": str(event.satisfaction),
        "pf": event.score,
        "pjnr": event.text.strip(),
        "pjsj": stamp(event.submitted_at),
        "ysdm": event.visit.practitioner.code,
    }


def adverse_events(event: AdverseEventReported) -> list[str]:
    """The report's number."""
    return [event.event_number]


def build_adverse_event(source: Source[AdverseEventReported], number: str) -> dict[str, Any]:
    """One report; the visit is named where there was one."""
    event = source.event
    return row(source, number) | {
        "sjdm": number,
        "jzlsh": visit_number(event.visit) if event.visit else None,
        "hzxm": event.person.name,
        "lxdh": event.person.phone,
        "sjms": event.description,
        "fssj": stamp(event.happened_at),
        "sjyy": event.cause,
        "cqcs": event.measures,
        "shcd": event.damage_degree,
        "gjcs": event.improvements,
        "sbks": event.department.name,
        "sbr": event.reported_by.name,
        "sbsj": stamp(event.reported_at),
    }


EVALUATION = RecordKind(PROFILE, "bb_pi_evaluation", evaluations, build_evaluation)
ADVERSE_EVENT = RecordKind(PROFILE, "bb_pi_adverse_event", adverse_events, build_adverse_event)
