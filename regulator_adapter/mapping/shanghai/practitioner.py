"""人员备案 `uploadPractitioner`."""

from typing import Any

from contracts.events import PractitionerChanged
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import iso
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header
from regulator_adapter.mapping.source import Source

FILED, CHANGED, SUSPENDED, RESUMED = "1", "2", "3", "4"


def numbers(event: PractitionerChanged) -> list[str]:
    """The member of staff's."""
    return [event.practitioner.code]


def build(source: Source[PractitionerChanged], number: str) -> dict[str, Any]:
    """As filed now; what kind of change it is shows against the event before."""
    event, who = source.event, source.event.practitioner
    return header(source) | {
        "staffId": number,
        "staffType": codesets.translate(codesets.STAFF, event.kind),
        "name": who.name,
        "certID": who.id_number,
        "titleCode": who.title_code,
        "licenceNumber": who.licence_number,
        "practiceScope": sorted({one.subject_code for one in event.departments}),
        "filedUntil": event.filed_until.isoformat() if event.filed_until else None,
        "status": "1" if event.active else "2",
        "changeType": _change(source),
        "changedAt": iso(event.changed_at),
    }


def _change(source: Source[PractitionerChanged]) -> str:
    before = source.last(PractitionerChanged)
    if before is None:
        return FILED
    if before.active != source.event.active:
        return RESUMED if source.event.active else SUSPENDED
    return CHANGED


KIND = RecordKind(PROFILE, "uploadPractitioner", numbers, build, looks_back=True)
