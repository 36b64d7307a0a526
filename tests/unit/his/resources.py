"""Resources as a writer would send them, complete, to be spoilt one element at a time."""

import base64
import uuid
from typing import Any

Json = dict[str, Any]
# an ordinary resident, so that the demo persons stay as they were made
WRITER = "P0000100"
REQUEST = "urn:internet-hospital:request"


def new_identifier() -> Json:
    return {"system": REQUEST, "value": str(uuid.uuid4())}


def conditional(resource: Json) -> str:
    one = resource["identifier"][0]
    return f"identifier={one['system']}|{one['value']}"


def encounter(patient: str = WRITER) -> Json:
    return {
        "resourceType": "Encounter",
        "identifier": [new_identifier()],
        "status": "planned",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"},
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [
            {"individual": {"identifier": {"system": "urn:internet-hospital:practitioner", "value": "D01"}}}
        ],
        "period": {"start": "2026-11-22T09:00:00+08:00"},
    }


def medication_request(patient: str = WRITER) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "identifier": [new_identifier()],
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": "urn:internet-hospital:drug", "code": "YP001"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2026-11-22T09:20:00+08:00",
        "requester": {"reference": "Practitioner/D01"},
    }


def document(patient: str = WRITER, content: bytes = b"{}") -> Json:
    return {
        "resourceType": "DocumentReference",
        "identifier": [new_identifier()],
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "34108-1"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "content": [
            {
                "attachment": {
                    "contentType": "application/json",
                    "data": base64.b64encode(content).decode(),
                    "size": len(content),
                }
            }
        ],
    }


def invoice(patient: str = WRITER, yuan: float = 25.5) -> Json:
    return {
        "resourceType": "Invoice",
        "identifier": [new_identifier()],
        "status": "balanced",
        "subject": {"reference": f"Patient/{patient}"},
        "totalGross": {"value": yuan, "currency": "CNY"},
    }


def appointment(slot: str, patient: str = WRITER) -> Json:
    return {
        "resourceType": "Appointment",
        "identifier": [new_identifier()],
        "status": "booked",
        "slot": [{"reference": f"Slot/{slot}"}],
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/D01"}, "status": "accepted"},
        ],
    }
