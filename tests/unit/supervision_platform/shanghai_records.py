"""A hospital that seals events: numbers, digests and chain computed here, records written by hand from docs/profiles/shanghai.md."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.unit.supervision_platform.sender import ORGAN, UNIT
from tests.unit.supervision_platform.tianjin_records import CHILD, DOCTOR, PATIENT, STAFF

WOMAN = {
    "patientId": "P-1", "patientCertType": "01", "patientCertID": PATIENT, "patientName": "王小丽",
    "birthDate": "1980-01-01", "age": 46, "sex": "2", "mobile": "19900000001",
}  # fmt: skip
BOY = {
    "patientId": "P-2", "patientCertType": "01", "patientCertID": CHILD, "patientName": "陈乐乐",
    "birthDate": "2022-03-01", "age": 4, "sex": "1", "mobile": "19900000002",
    "guardianName": "陈大山", "guardianCertID": PATIENT, "guardianMobile": "19900000003", "guardianRelation": "父亲",
}  # fmt: skip
ORDER = {
    "drcode": "D-1", "drname": "氨氯地平片", "drmodel": "5mg*28片", "admission": "1", "frequency": "每日一次",
    "dosage": "5", "drunit": "mg", "dosageTotal": "1", "doseUnit": "盒", "useDays": 28,
}  # fmt: skip


@dataclass
class Hospital:
    """Counts as the sealer does; `seal` gives the chain fields of the next event."""

    number: int = 0
    head: bytes = bytes(32)
    streams: dict[str, int] = field(default_factory=dict)

    def seal(self, event_type: str, stream: str, at: str) -> dict[str, Any]:
        self.number += 1
        self.streams[stream] = self.streams.get(stream, 0) + 1
        digest = hashlib.sha256(f"{event_type} {self.number}".encode()).digest()
        self.head = hashlib.sha256(self.head + self.number.to_bytes(8, "big") + digest).digest()
        return {
            "organID": ORGAN, "unitID": UNIT, "organName": "示范医院互联网医院", "eventId": f"event-{self.number}",
            "eventType": event_type, "stream": stream, "streamSeq": self.streams[stream], "hospitalSeq": self.number,
            "eventDigest": digest.hex(), "chainHash": self.head.hex(), "occurredAt": at,
        }  # fmt: skip

    def booked(
        self, visit: str = "V-1", at: str = "2026-11-21T20:00:00+08:00", **changes: Any
    ) -> dict[str, Any]:
        return self.seal("appointment.booked", visit, at) | WOMAN | STAFF | {
            "bookingNo": visit, "visitNo": visit, "bookingStatus": "1", "workDate": "2026-11-22",
            "startTime": "2026-11-22T09:00:00+08:00", "endTime": "2026-11-22T09:30:00+08:00", "bookedAt": at,
            "bookedBy": "1", "priceFen": 2500,
        } | changes  # fmt: skip

    def eligible(self, at: str = "2026-11-21T19:50:00+08:00", **changes: Any) -> dict[str, Any]:
        return self.seal("eligibility.decided", "person P-1", at) | WOMAN | {
            "phase": "1", "eligibilityNo": "Q-1", "eligibilityResult": "1", "ruleVersion": "1", "decidedAt": at,
            "diagnosisCode": "I10", "evidenceVisitId": "H-1", "evidenceDiagnosisCode": "I10",
            "evidenceDate": "2026-11-12",
        } | changes  # fmt: skip

    def started(
        self, visit: str = "V-1", at: str = "2026-11-22T09:02:00+08:00", **changes: Any
    ) -> dict[str, Any]:
        return self.seal("encounter.started", visit, at) | WOMAN | STAFF | {
            "phase": "2", "visitNo": visit, "returnVisitType": "3", "startDate": at, "referralFlag": "1",
            "confirmedAt": at, "mainDiagnoseCode": "I10",
        } | changes  # fmt: skip

    def prescribed(self, event: str, status: str, at: str, **changes: Any) -> dict[str, Any]:
        by_status: dict[str, dict[str, Any]] = {
            "1": {"signedAt": at},
            "2": {"auditDoctorId": "PH-1", "auditDoctorCertID": DOCTOR, "auditDoctor": "周药师", "checkDate": at,
                  "rationalFlag": "0"},
        }  # fmt: skip
        return self.seal(event, "V-1", at) | WOMAN | STAFF | {
            "recipeUniqueID": "R-1", "recipeID": "RX-1", "visitNo": "V-1", "recipeStatus": status, "icdCode": "I10",
            "icdName": "高血压", "recipeType": "1", "signDigest": "a" * 64, "effectivePeriod": 3,
            "validUntil": "2026-11-24T23:59:59+08:00", "totalFeeFen": 2580, "isPay": "0", "orderList": [ORDER],
        } | by_status[status] | changes  # fmt: skip

    def signed(self, **changes: Any) -> dict[str, Any]:
        return self.prescribed("prescription.signed", "1", "2026-11-22T09:18:00+08:00", **changes)

    def approved(self, at: str = "2026-11-22T09:30:00+08:00", **changes: Any) -> dict[str, Any]:
        return self.prescribed("prescription.approved", "2", at, **changes)

    def paid(self, at: str = "2026-11-22T09:40:00+08:00", **changes: Any) -> dict[str, Any]:
        return self.seal("payment.confirmed", "payment", at) | {
            "paymentNo": "PAY-1", "subject": "2", "subjectNo": "RX-1", "direction": "1", "patientId": "P-1",
            "amountFen": 2580, "tenders": [{"tender": "wechat_cash", "amountFen": 2580}], "paymentChannel": "2",
            "tradeNo": "T-1", "paidAt": at,
        } | changes  # fmt: skip

    def filed(self, **changes: Any) -> dict[str, Any]:
        at = "2026-11-20T08:00:00+08:00"
        return self.seal("practitioner.changed", "staff DOC-1", at) | {
            "staffId": "DOC-1", "staffType": "1", "name": "林医生", "certID": DOCTOR, "titleCode": "232",
            "licenceNumber": "L-1", "practiceScope": ["03"], "filedUntil": "2028-01-01", "status": "1", "changedAt": at,
        } | changes  # fmt: skip

    def viewed(self, **changes: Any) -> dict[str, Any]:
        at = "2026-11-22T09:03:00+08:00"
        return self.seal("record.viewed", "V-1", at) | {
            "browseId": "B-1", "viewerId": "DOC-1", "viewerType": "1", "viewerName": "林医生", "patientId": "P-1",
            "patientName": "王小丽", "visitNo": "V-1", "archiveTypes": ["1", "2"], "recordCount": 2, "purpose": "1",
            "browseTime": at, "result": "1",
        } | changes  # fmt: skip

    def verified(self, **changes: Any) -> dict[str, Any]:
        at = "2026-11-21T19:40:00+08:00"
        return self.seal("identity.verified", "person P-1", at) | {
            "authId": "I-1", "subjectType": "1", "personId": "P-1", "certType": "01", "certNo": PATIENT, "name": "王小丽",
            "mobile": "19900000001", "authMethod": "1", "result": "1", "provider": "核验服务", "providerSerial": "S-1",
            "authTime": at,
        } | changes  # fmt: skip

    def complained(self, **changes: Any) -> dict[str, Any]:
        at = "2026-11-22T12:00:00+08:00"
        return self.seal("complaint.filed", "complaint", at) | {
            "recordNo": "K-1", "kind": "1", "patientName": "王小丽", "mobile": "19900000001", "visitNo": "V-1",
            "description": "王小丽反映等待太久，电话19900000001", "filedAt": at, "status": "1",
        } | changes  # fmt: skip

    def link(self, event_type: str = "record.signed", stream: str = "V-1") -> dict[str, Any]:
        return self.seal(event_type, stream, "2026-11-22T09:25:00+08:00") | {"reportedBy": "tianjin-1.0"}
