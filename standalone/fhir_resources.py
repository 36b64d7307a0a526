"""World entries as FHIR R4 resources, for a hospital system that is not ours (docs/hospital_fhir.md).

Ids are made from the world's own, so that loading twice changes nothing. Only what an id may hold (A–Z, a–z, 0–9, -, .).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from front_gateway.dialects.fhir.systems import Systems

Json = dict[str, Any]
ZONE = "+08:00"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_SEX = {"1": "male", "2": "female"}
_FREQUENCY = {
    "qd": "每日一次", "bid": "每日两次", "tid": "每日三次", "qn": "每晚一次", "qod": "隔日一次", "qw": "每周一次", "once": "一次",
}  # fmt: skip
_CATEGORY = {"lab": ("LAB", "Laboratory"), "imaging": ("RAD", "Radiology")}


class ResourceMaker:
    """Makes the resources of one resident; names of departments and doctors come from their own files."""

    def __init__(self, systems: Systems, departments: Mapping[str, str], doctors: Mapping[str, str]) -> None:
        self._systems = systems
        self._departments = departments
        self._doctors = doctors

    def resources(self, resident: Json) -> Iterator[Json]:
        """Everything the hospital knows of one resident, referenced resources first."""
        former = resident.get("former_ids", [])
        yield self._patient(resident, resident["id"], former, survivor="")
        for number in former:
            yield self._patient(resident, number, [], survivor=resident["id"])
        for allergy in resident.get("allergies", []):
            yield self._allergy(resident["id"], allergy)
        for visit in resident.get("visits", []):
            yield from self._visit(visit, visit.get("held_under") or resident["id"])

    def _patient(self, resident: Json, number: str, former: list[str], survivor: str) -> Json:
        links = [{"other": _about(one), "type": "replaces"} for one in former]
        if survivor:
            links.append({"other": _about(survivor), "type": "replaced-by"})
        return {
            "resourceType": "Patient",
            "id": number,
            "identifier": [{"system": self._systems.id_card, "value": resident["id_number"]}],
            "active": not survivor,
            "name": [{"use": "official", "text": resident["name"]}],
            "telecom": [{"system": "phone", "value": resident["phone"]}],
            "gender": _SEX.get(resident["sex"], "unknown"),
            "birthDate": resident["birth_date"],
            "address": [{"text": resident["address"]}],
            **({"link": links} if links else {}),
        }

    def _allergy(self, patient: str, allergy: Json) -> Json:
        coding = [{"system": self._systems.allergy, "code": allergy["code"], "display": allergy["name"]}]
        if allergy.get("group"):
            coding.append({"system": self._systems.allergy_group, "code": allergy["group"]})
        return {
            "resourceType": "AllergyIntolerance",
            "id": f"{patient}-a-{_id_part(allergy['code'])}",
            "clinicalStatus": _concept(f"{_TERMINOLOGY}/allergyintolerance-clinical", "active"),
            "verificationStatus": _concept(f"{_TERMINOLOGY}/allergyintolerance-verification", "confirmed"),
            "code": {"coding": coding, "text": allergy["name"]},
            "patient": _about(patient),
            **({"note": [{"text": allergy["note"]}]} if allergy.get("note") else {}),
        }

    def _visit(self, visit: Json, patient: str) -> Iterator[Json]:
        encounter = {"reference": f"Encounter/{visit['id']}"}
        conditions = [
            self._condition(f"{visit['id']}-d{number}", one, patient, encounter, visit["date"])
            for number, one in enumerate(visit["diagnoses"], 1)
        ]
        yield self._encounter(visit, patient, conditions)
        yield from conditions
        for prescription in visit.get("prescriptions", []):
            yield from self._prescription(prescription, patient, encounter)
        for report in visit.get("reports", []):
            yield from self._report(report, patient, encounter)

    def _encounter(self, visit: Json, patient: str, conditions: list[Json]) -> Json:
        inpatient = visit.get("kind", "outpatient") == "inpatient"
        code, display = ("IMP", "inpatient encounter") if inpatient else ("AMB", "ambulatory")
        last_day = visit.get("discharged_on") or visit["date"]
        return {
            "resourceType": "Encounter",
            "id": visit["id"],
            "status": visit.get("status", "finished"),
            "class": {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": code, "display": display},
            "serviceType": {
                "coding": [{"system": self._systems.department, "code": visit["department"]}],
                "text": self._departments.get(visit["department"], visit["department"]),
            },
            "subject": _about(patient),
            "participant": [{"individual": self._doctor(visit["doctor"])}],
            "period": {"start": _at(visit["date"], "09:00"), "end": _at(last_day, "09:20")},
            "diagnosis": [
                {"condition": {"reference": f"Condition/{one['id']}"}, "rank": line["rank"]}
                for one, line in zip(conditions, visit["diagnoses"], strict=True)
            ],
        }

    def _condition(self, id: str, diagnosis: Json, patient: str, encounter: Json, day: str) -> Json:
        confirmed = diagnosis["certainty"] == "confirmed"
        coding = [
            {"system": self._systems.diagnosis, "code": diagnosis["code"], "display": diagnosis["name"]}
        ]
        return {
            "resourceType": "Condition",
            "id": id,
            "clinicalStatus": _concept(f"{_TERMINOLOGY}/condition-clinical", "active"),
            "verificationStatus": _concept(
                f"{_TERMINOLOGY}/condition-ver-status", "confirmed" if confirmed else "provisional"
            ),
            "category": [_concept(f"{_TERMINOLOGY}/condition-category", "encounter-diagnosis")],
            "code": {**({"coding": coding} if diagnosis["code"] else {}), "text": diagnosis["name"]},
            "subject": _about(patient),
            "encounter": encounter,
            "recordedDate": _at(day, "09:15"),
        }

    def _prescription(self, prescription: Json, patient: str, encounter: Json) -> Iterator[Json]:
        for number, item in enumerate(prescription["items"], 1):
            frequency = _FREQUENCY.get(item["frequency"], item["frequency"])
            text = f"每次 {item['dose']:g}{item['dose_unit']}，{frequency}"
            yield {
                "resourceType": "MedicationRequest",
                "id": f"{prescription['id']}-{number}",
                "groupIdentifier": {"system": self._systems.prescription, "value": prescription["id"]},
                "status": "completed",
                "intent": "order",
                "medicationCodeableConcept": {
                    "coding": [{"system": self._systems.drug, "code": item["drug"], "display": item["name"]}],
                    "text": item["name"],
                },
                "subject": _about(patient),
                "encounter": encounter,
                "authoredOn": _at(prescription["date"], "09:18"),
                "requester": self._doctor(prescription["doctor"]),
                "dosageInstruction": [{"text": text, "route": _concept(self._systems.route, item["route"])}],
                "dispenseRequest": {
                    "quantity": {"value": item["quantity"], "unit": item["unit"]},
                    "expectedSupplyDuration": {
                        "value": item["days"],
                        "unit": "天",
                        "system": "http://unitsofmeasure.org",
                        "code": "d",
                    },
                },
            }

    def _report(self, report: Json, patient: str, encounter: Json) -> Iterator[Json]:
        at = _at(report["date"], "10:30")
        code, display = _CATEGORY.get(report["category"], ("OTH", "Other"))
        observations = [
            self._observation(f"{report['id']}-{number}", item, patient, encounter, at)
            for number, item in enumerate(report.get("items", []), 1)
        ]
        yield from observations
        yield {
            "resourceType": "DiagnosticReport",
            "id": report["id"],
            "status": "final",
            "category": [_concept(f"{_TERMINOLOGY}/v2-0074", code, display)],
            "code": {"text": report["name"]},
            "subject": _about(patient),
            "encounter": encounter,
            "effectiveDateTime": at,
            "issued": at,
            "result": [{"reference": f"Observation/{one['id']}"} for one in observations],
            "conclusion": report["conclusion"],
        }

    def _observation(self, id: str, item: Json, patient: str, encounter: Json, at: str) -> Json:
        unit = item.get("unit", "")
        number = _number(item["value"])
        value: Json = (
            {"valueString": item["value"]}
            if number is None
            else {"valueQuantity": {"value": number, **({"unit": unit} if unit else {})}}
        )
        limits = {
            side: {"value": limit, **({"unit": unit} if unit else {})}
            for side in ("low", "high")
            if (limit := _number(item.get(side, ""))) is not None
        }
        flag = item.get("flag", "")
        coding = [{"system": "http://loinc.org", "code": item["loinc"]}] if item.get("loinc") else []
        return {
            "resourceType": "Observation",
            "id": id,
            "status": "final",
            "code": {**({"coding": coding} if coding else {}), "text": item["name"]},
            "subject": _about(patient),
            "encounter": encounter,
            "effectiveDateTime": at,
            **value,
            **({"referenceRange": [limits]} if limits else {}),
            **(
                {"interpretation": [_concept(f"{_TERMINOLOGY}/v3-ObservationInterpretation", flag)]}
                if flag
                else {}
            ),
        }

    def _doctor(self, code: str) -> Json:
        return {
            "type": "Practitioner",
            "identifier": {"system": self._systems.practitioner, "value": code},
            "display": self._doctors.get(code, code),
        }


def _about(patient: str) -> Json:
    return {"reference": f"Patient/{patient}"}


def _concept(system: str, code: str, display: str = "") -> Json:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def _at(day: str, clock: str) -> str:
    """A FHIR dateTime on a Shanghai wall clock."""
    return f"{date.fromisoformat(day).isoformat()}T{clock}:00{ZONE}"


def _number(text: str) -> Decimal | None:
    """The number in `text` with its digits as they stand, or None."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _id_part(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)[:40]
