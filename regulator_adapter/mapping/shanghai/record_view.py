"""健康档案浏览 `uploadRecordView`."""

from typing import Any

from contracts.events import RecordViewed
from foundation.canonical import sha256
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import iso
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header, staff_kind, visit_number
from regulator_adapter.mapping.source import Source

SEEN = "1"


def numbers(event: RecordViewed) -> list[str]:
    """The view's id."""
    return [str(event.view_id)]


def build(source: Source[RecordViewed], number: str) -> dict[str, Any]:
    """Who looked at what; contents are named by hashes alone."""
    event, visit = source.event, source.event.visit
    return header(source) | {
        "browseId": number,
        "viewerId": event.viewer.code,
        "viewerType": staff_kind(event.viewer),
        "viewerName": event.viewer.name,
        "viewerCertID": event.viewer.id_number,
        "deptID": visit.department.code,
        "patientId": str(visit.patient.person_id),
        "patientName": visit.patient.name,
        "patientCertHash": sha256(visit.patient.id_number.encode()).hex(),
        "visitNo": visit_number(visit),
        "archiveTypes": [codesets.translate(codesets.ARCHIVE, archive) for archive in event.archives],
        "recordCount": len(event.resource_hashes),
        "recordHashes": list(event.resource_hashes),
        "purpose": codesets.translate(codesets.VIEW_PURPOSE, event.purpose),
        "browseTime": iso(event.viewed_at),
        "result": SEEN,
    }


KIND = RecordKind(PROFILE, "uploadRecordView", numbers, build)
