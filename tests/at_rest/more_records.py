"""What a hospital may have beside visits and drugs: an allergy and a laboratory report, as FHIR resources of its own."""

from typing import Any

LAB = "http://terminology.hl7.org/CodeSystem/v2-0074"


def allergy_and_report(patient: str, day: str) -> list[dict[str, Any]]:
    """For `patient`, found on `day` (ISO): one value, one text value, one conclusion, pollen."""
    subject = {"reference": f"Patient/{patient}"}
    results = [_result(f"{patient}-canary-{part}", subject, day, value) for part, value in _VALUES.items()]
    report = {
        "resourceType": "DiagnosticReport", "id": f"{patient}-canary", "status": "final", "subject": subject,
        "category": [{"coding": [{"system": LAB, "code": "LAB"}]}], "code": {"text": "随访化验"}, "issued": f"{day}T16:00:00+08:00",
        "effectiveDateTime": day, "conclusion": "未见异常",
        "result": [{"reference": f"Observation/{one['id']}"} for one in results],
    }  # fmt: skip
    allergy = {
        "resourceType": "AllergyIntolerance", "id": f"{patient}-canary", "patient": subject,
        "code": {"text": "花粉过敏"}, "note": [{"text": "春季明显"}],
    }  # fmt: skip
    return [*results, report, allergy]


_VALUES: dict[str, dict[str, Any]] = {
    "measured": {"valueQuantity": {"value": 5.1, "unit": "mmol/L"}},
    "told": {"valueCodeableConcept": {"text": "阴性"}},
}


def _result(id: str, subject: dict[str, str], day: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": id, "status": "final", "subject": subject, "code": {"text": "随访项目"},
        "effectiveDateTime": day, "issued": f"{day}T16:00:00+08:00", **value,
    }  # fmt: skip
