"""健康档案浏览 `uploadRecordView`."""

from typing import Any

from contracts.events import RecordViewed
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import iso
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header, staff_kind, visit_number
from regulator_adapter.mapping.source import Source

SEEN = "1"
PATIENT_SIDE = "3"
"""患者本人或代办人 in shViewerType."""
CERTIFICATE = "uploadRecordView.patientCertHash"
"""What the number is keyed for. A plain digest would give it back: there are few enough numbers to try them all."""


def numbers(event: RecordViewed) -> list[str]:
    """The view's id."""
    return [str(event.view_id)]


def build(source: Source[RecordViewed], number: str) -> dict[str, Any]:
    """Who looked at what; contents are named by hashes alone."""
    event, visit = source.event, source.event.visit
    return header(source) | {
        "browseId": number,
        **_viewer(event),
        "deptID": visit.department.code,
        "patientId": str(visit.patient.person_id),
        "patientName": visit.patient.name,
        "patientCertHash": source.keyed(visit.patient.id_number, CERTIFICATE).hex(),
        "visitNo": visit_number(visit),
        "archiveTypes": [codesets.translate(codesets.ARCHIVE, archive) for archive in event.archives],
        "recordCount": len(event.resource_hashes),
        "recordHashes": list(event.resource_hashes),
        "purpose": codesets.translate(codesets.VIEW_PURPOSE, event.purpose),
        "browseTime": iso(event.viewed_at),
        "result": SEEN,
    }


def _viewer(event: RecordViewed) -> dict[str, Any]:
    """The doctor or pharmacist, or the patient's own side."""
    if event.viewer is not None:
        return {
            "viewerId": event.viewer.code,
            "viewerType": staff_kind(event.viewer),
            "viewerName": event.viewer.name,
            "viewerCertID": event.viewer.id_number,
        }
    who = event.seen_by or event.visit.patient
    return {
        "viewerId": str(who.person_id),
        "viewerType": PATIENT_SIDE,
        "viewerName": who.name,
        "viewerCertID": who.id_number,
    }


KIND = RecordKind(PROFILE, "uploadRecordView", numbers, build)
