"""What a hospital may have beside visits and drugs: in the HIS an allergy and a report that is neither LIS's nor RIS's; a result in the LIS."""

from typing import Any

SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"


def allergy_and_report(patient: str, day: str) -> list[dict[str, Any]]:
    """For `patient`, found on `day` (ISO): one value, one text value, one conclusion, pollen."""
    subject = {"reference": f"Patient/{patient}"}
    results = [_result(f"{patient}-canary-{part}", subject, day, value) for part, value in _VALUES.items()]
    report = {
        "resourceType": "DiagnosticReport", "id": f"{patient}-canary", "status": "final", "subject": subject,
        "category": [{"coding": [{"system": SECTION, "code": "SP"}]}], "code": {"text": "随访病理"}, "issued": f"{day}T16:00:00+08:00",
        "effectiveDateTime": day, "conclusion": "未见异常",
        "result": [{"reference": f"Observation/{one['id']}"} for one in results],
    }  # fmt: skip
    allergy = {
        "resourceType": "AllergyIntolerance", "id": f"{patient}-canary", "patient": subject,
        "code": {"text": "花粉过敏"}, "note": [{"text": "春季明显"}],
    }  # fmt: skip
    return [*results, report, allergy]


def laboratory_result(
    patient: str, name: str, day: str, mark: str, number: int
) -> tuple[dict[str, Any], list[str]]:
    """For the LIS of `simulators lis_ris`, and the marks in it."""
    words, measured = f"{mark}{patient[-4:]}1a5b", f"{number}001"
    item = {
        "code": "TSH", "name": "促甲状腺激素", "value": measured, "unit": "mIU/L", "low": "0.35", "high": "4.94", "flag": "H",
    }  # fmt: skip
    report = {
        "id": f"{patient}-canary", "date": day, "panel": "thyroid", "name": "甲状腺功能", "category": "lab",
        "conclusion": f"建议复查{words}", "items": [item],
    }  # fmt: skip
    return {"number": patient, "name": name, "report": report}, [words, measured]


_VALUES: dict[str, dict[str, Any]] = {
    "measured": {"valueQuantity": {"value": 5.1, "unit": "mmol/L"}},
    "told": {"valueCodeableConcept": {"text": "阴性"}},
}


def _result(id: str, subject: dict[str, str], day: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": id, "status": "final", "subject": subject, "code": {"text": "随访项目"},
        "effectiveDateTime": day, "issued": f"{day}T16:00:00+08:00", **value,
    }  # fmt: skip
