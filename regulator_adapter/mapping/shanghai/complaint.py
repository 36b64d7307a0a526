"""投诉与不良事件 `uploadComplaint`. Which of them come here, routing says."""

from typing import Any

from contracts.events import AdverseEventReported, ComplaintFiled
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import iso
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header, visit_number
from regulator_adapter.mapping.source import Source

OPEN = "1"
Concern = ComplaintFiled | AdverseEventReported


def numbers(event: Concern) -> list[str]:
    """The complaint's id, or the report's number."""
    return [str(event.complaint_id) if isinstance(event, ComplaintFiled) else event.event_number]


def build(source: Source[Concern], number: str) -> dict[str, Any]:
    """A complaint (1) or an adverse event (2), as it was filed."""
    event = source.event
    shared = header(source) | {
        "recordNo": number,
        "visitNo": visit_number(event.visit) if event.visit else None,
        "patientId": str(event.person.person_id),
        "patientName": event.person.name,
        "mobile": event.person.phone,
        "status": OPEN,
    }
    if isinstance(event, ComplaintFiled):
        return shared | {
            "kind": "1",
            "description": event.text,
            "filedAt": iso(event.filed_at),
            "deadline": iso(event.answer_by) if event.answer_by else None,
        }
    return shared | {
        "kind": "2",
        "description": event.description,
        "filedAt": iso(event.reported_at),
        "eventDate": iso(event.happened_at),
        "eventReason": event.cause,
        "takeSteps": event.measures,
        "severity": codesets.SEVERITY.get(event.damage_degree.strip()),
        "damageDegree": event.damage_degree,
        "improvements": event.improvements,
        "reportDept": event.department.name,
        "reportPerson": event.reported_by.name,
    }


KIND = RecordKind(PROFILE, "uploadComplaint", numbers, build)
