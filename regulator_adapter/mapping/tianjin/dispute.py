"""医疗争议与不良事件 `pushMedicalDispute`."""

from typing import Any

from contracts.events import AdverseEventReported
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp
from regulator_adapter.mapping.source import Source
from regulator_adapter.mapping.tianjin.blocks import PROFILE, business_type, header


def numbers(event: AdverseEventReported) -> list[str]:
    """The report's number."""
    return [event.event_number]


def build(source: Source[AdverseEventReported], number: str) -> dict[str, Any]:
    """`Improvements` is spelt as the platform spells it."""
    event = source.event
    return header(source, event.reported_at) | {
        "eventID": number,
        "businessType": business_type(event.visit) if event.visit else codesets.OTHER_BUSINESS,
        "patientName": event.person.name,
        "mobile": event.person.phone,
        "eventDescription": event.description,
        "eventDate": stamp(event.happened_at),
        "eventReason": event.cause,
        "takeSteps": event.measures,
        "damageDegree": event.damage_degree,
        "Improvements": event.improvements,
        "reportDept": event.department.name,
        "reportPerson": event.reported_by.name,
        "reportDate": stamp(event.reported_at),
    }


KIND = RecordKind(PROFILE, "pushMedicalDispute", numbers, build)
