"""Small FHIR answers for tests: only what the gateway reads."""

from typing import Any

ID_CARD = "urn:oid:2.16.156.10011.1.3"
NUMBER = "310114195809199069"
NAME = "周桂珍"


def patient(id: str = "1", *, name: str = NAME, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"system": ID_CARD, "value": number}],
        "name": [{"text": name}],
        "gender": "female",
        "birthDate": "1958-09-19",
        **more,
    }


def encounter(id: str = "e1", subject: str = "Patient/1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": subject},
        "period": {"start": "2026-11-12T09:00:00+08:00"},
        **more,
    }


def condition(id: str = "c1", subject: str = "Patient/1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": id,
        "subject": {"reference": subject},
        "encounter": {"reference": "Encounter/e1"},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10.x00"}],
            "text": "高血压",
        },
        **more,
    }


def outcome(severity: str = "warning", code: str = "not-supported") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def bundle(
    *resources: dict[str, Any], next_url: str = "", outcomes: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    entries += [{"resource": one, "search": {"mode": "outcome"}} for one in outcomes]
    links = [{"relation": "next", "url": next_url}] if next_url else []
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
