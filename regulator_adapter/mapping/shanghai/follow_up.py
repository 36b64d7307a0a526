"""在线复诊 `uploadFollowUp`: may she be seen again, and how the visit went."""

from typing import Any

from contracts.events import (
    EligibilityDecided,
    EncounterCompleted,
    EncounterDeclined,
    EncounterDiscontinued,
    EncounterStarted,
)
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import day, iso
from regulator_adapter.mapping.shanghai.blocks import (
    PROFILE,
    eligibility,
    header,
    patient,
    visit_block,
    visit_number,
)
from regulator_adapter.mapping.source import Source

FollowUp = (
    EligibilityDecided | EncounterStarted | EncounterDeclined | EncounterDiscontinued | EncounterCompleted
)


def numbers(event: FollowUp) -> list[str]:
    """The decision's, else the visit's."""
    if isinstance(event, EligibilityDecided):
        return [str(event.decision_id)]
    return [visit_number(event.visit)]


def build(source: Source[FollowUp], number: str) -> dict[str, Any]:
    """One phase of a follow-up."""
    event = source.event
    if isinstance(event, EligibilityDecided):
        return header(source) | _eligibility(event, number)
    shared = {
        "visitNo": number,
        "bookingNo": number,
        "originalDiagnosis": f"{event.original_diagnosis.name}（{event.original_diagnosis.code}）",
    }
    return header(source) | visit_block(event.visit) | eligibility(event.visit) | shared | _phase(event)


def _eligibility(event: EligibilityDecided, number: str) -> dict[str, Any]:
    return patient(event.person, day(event.decided_at)) | {
        "phase": "1",
        "eligibilityNo": number,
        "eligibilityResult": codesets.translate(codesets.ELIGIBILITY, event.outcome),
        "ruleVersion": event.rule_version,
        "decidedAt": iso(event.decided_at),
        "diagnosisCode": event.diagnosis_code,
        "ineligibleReason": event.reason if event.outcome == "refused" else None,
        "evidenceVisitId": event.evidence_visit_id,
        "evidenceDiagnosisCode": event.evidence_code,
        "evidenceDate": event.evidence_date.isoformat() if event.evidence_date else None,
        "evidenceHash": event.evidence_hash or None,
    }


def _phase(
    event: EncounterStarted | EncounterDeclined | EncounterDiscontinued | EncounterCompleted,
) -> dict[str, Any]:
    if isinstance(event, EncounterStarted):
        return {
            "phase": "2",
            "returnVisitType": codesets.translate(codesets.VISIT_TYPE, event.visit.mode),
            "startDate": iso(event.started_at),
            "referralFlag": "1" if event.follow_up_confirmed else "0",
            "confirmedAt": iso(event.started_at) if event.follow_up_confirmed else None,
            "mainDiagnoseCode": event.original_diagnosis.code,
        }
    if isinstance(event, EncounterDeclined):
        return {
            "phase": "3",
            "refuseTime": iso(event.declined_at),
            "refuseReason": event.reason,
            "refuseType": event.refuse_type,
        }
    if isinstance(event, EncounterDiscontinued):
        return {
            "phase": "4",
            "startDate": iso(event.started_at),
            "endDate": iso(event.discontinued_at),
            "discontinueReason": event.reason,
            "referredOffline": "1",
        }
    return {
        "phase": "5",
        "returnVisitType": codesets.translate(codesets.VISIT_TYPE, event.visit.mode),
        "startDate": iso(event.started_at),
        "endDate": iso(event.completed_at),
        "mainDiagnoseCode": (event.diagnoses or [event.original_diagnosis])[0].code,
        "thisDiagnosis": "|".join(one.name for one in event.diagnoses) or "无",
        "returnVisitPriceFen": event.payment.amount,
        "processDataURL": event.process_data_reference,
    }


KIND = RecordKind(PROFILE, "uploadFollowUp", numbers, build)
