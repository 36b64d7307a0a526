"""Resources as the internet hospital writes them into the hospital: plain JSON, one function each.

Identifiers make every write repeatable: the request's own for the main resource, with `.1`, `.2` … for those beside it.
"""

import base64
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.his import (
    VisitDiagnosis,
    WriteCharge,
    WriteDispense,
    WriteDrug,
    WriteMove,
    WritePrescription,
    WriteRecord,
    WriteRefund,
    WriteRegistration,
)
from front_gateway.dialects.fhir.days import instant
from front_gateway.dialects.fhir.systems import Systems

Json = dict[str, Any]
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_LOINC = "http://loinc.org"
_CONDITION = "http://terminology.hl7.org/CodeSystem/condition"
_CHARGES = {"registration": "线上复诊诊查费", "prescription": "线上处方药费"}

REFUND = "refund"
"""Code of a refund among the kinds of a charge."""


class Writer:
    """Makes resources in the systems of one hospital."""

    def __init__(self, systems: Systems) -> None:
        self.systems = systems

    def registration(self, request: WriteRegistration | WriteMove, patient: str, place: str = "") -> Json:
        """Step 1: a planned virtual encounter; `place` is the reference of the Appointment that has its slot."""
        return {
            "resourceType": "Encounter",
            "identifier": [
                self._request(request.request_id),
                self._identifier(self.systems.appointment, str(request.appointment_id)),
            ],
            "status": "planned",
            "class": {"system": _ACT, "code": "VR", "display": "virtual"},
            "subject": {"reference": f"Patient/{patient}"},
            **self.when_and_who(request, place),
        }

    def when_and_who(self, request: WriteRegistration | WriteMove, place: str) -> Json:
        """The elements of the encounter that a move changes."""
        return {
            "serviceType": {"coding": [{"system": self.systems.department, "code": request.department_code}]},
            "participant": [{"individual": self._practitioner(request.practitioner_code)}],
            "period": {"start": instant(request.starts_at), "end": instant(request.ends_at)},
            "priority": {"text": f"序号 {request.serial_number}"},
            **({"appointment": [{"reference": place}]} if place else {}),
        }

    def appointment(self, request: WriteRegistration | WriteMove, patient: str) -> Json:
        """A slot of the hospital for one of our visits."""
        department = {"system": self.systems.department, "code": request.department_code}
        return {
            "resourceType": "Appointment",
            "identifier": [
                self.part(request.request_id, 1),
                self._identifier(self.systems.appointment, str(request.appointment_id)),
            ],
            "status": "booked",
            "specialty": [{"coding": [department]}],
            "description": "互联网复诊",
            "start": instant(request.starts_at),
            "end": instant(request.ends_at),
            "slot": [{"reference": f"Slot/{request.slot_id}"}],
            "participant": [
                {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
                {"actor": self._practitioner(request.practitioner_code), "status": "accepted"},
            ],
        }

    def charge(self, request: WriteCharge, patient: str) -> Json:
        """Step 2: a settled invoice of one line. Invoice says who paid what; a ChargeItem alone does not say "paid"."""
        word = _CHARGES.get(request.kind, request.kind)
        return self._invoice(
            request, patient, number=request.trade_number, at=request.paid_at, kind=request.kind,
            line=(request.kind, word), text=word, fee_number=request.fee_number,
        )  # fmt: skip

    def refund(self, request: WriteRefund, patient: str) -> Json:
        """Money that went back: an invoice of type `refund`, its amount not negative. The note names the charge's number."""
        word = _CHARGES.get(request.kind, request.kind)
        made = self._invoice(
            request, patient, number=request.refund_number, at=request.refunded_at, kind=REFUND,
            line=(request.kind, word), text="线上退费",
        )  # fmt: skip
        return {**made, "note": [{"text": f"原交易号 {request.trade_number}"}]}

    def _invoice(
        self, request: WriteCharge | WriteRefund, patient: str, *, number: str, at: datetime, kind: str,
        line: tuple[str, str], text: str, fee_number: str = "",
    ) -> Json:  # fmt: skip
        named = [self._identifier(self.systems.prescription, fee_number)] if fee_number else []
        amount = {"value": Decimal(request.amount).scaleb(-2).quantize(Decimal("0.01")), "currency": "CNY"}
        return {
            "resourceType": "Invoice",
            "identifier": [
                self._request(request.request_id),
                self._identifier(self.systems.trade, number),
                self._identifier(self.systems.appointment, str(request.appointment_id)),
                *named,
            ],
            "status": "balanced",
            "type": {"coding": [{"system": self.systems.charge, "code": kind}], "text": text},
            "subject": {"reference": f"Patient/{patient}"},
            "date": instant(at),
            "lineItem": [
                {
                    "sequence": 1,
                    "chargeItemCodeableConcept": {
                        "coding": [{"system": self.systems.charge, "code": line[0]}],
                        "text": line[1],
                    },
                    "priceComponent": [{"type": "deduction" if kind == REFUND else "base", "amount": amount}],
                }
            ],
            "totalNet": amount,
            "totalGross": amount,
        }

    def record(self, request: WriteRecord, patient: str, encounter: Json) -> Json:
        """Step 3: the signed record, byte for byte. Never a Composition: see `docs/hospital_fhir.md`."""
        return self._document(
            request.request_id,
            patient,
            encounter,
            loinc=("34108-1", "Outpatient Note"),
            title=request.title,
            content=request.content,
            digest=request.content_digest,
            at=instant(request.signed_at),
            author=request.practitioner_code,
        )

    def prescription(self, request: WritePrescription, patient: str, encounter: Json) -> Json:
        """Step 4: the approved prescription as a document."""
        return self._document(
            request.request_id,
            patient,
            encounter,
            loinc=("57833-6", "Prescription for medication"),
            title=f"电子处方 {request.number}",
            content=request.content,
            digest=request.content_digest,
            at=instant(request.approved_at),
            author=request.practitioner_code,
        )

    def condition(
        self, request: WriteRecord, number: int, diagnosis: VisitDiagnosis, patient: str, encounter: Json
    ) -> Json:
        """One diagnosis of the record."""
        confirmed = diagnosis.certainty == "confirmed"
        coding = [{"system": self.systems.diagnosis, "code": diagnosis.code, "display": diagnosis.name}]
        return {
            "resourceType": "Condition",
            "identifier": [self.part(request.request_id, number)],
            "clinicalStatus": {"coding": [{"system": f"{_CONDITION}-clinical", "code": "active"}]},
            "verificationStatus": {
                "coding": [
                    {
                        "system": f"{_CONDITION}-ver-status",
                        "code": "confirmed" if confirmed else "provisional",
                    }
                ]
            },
            "category": [{"coding": [{"system": f"{_CONDITION}-category", "code": "encounter-diagnosis"}]}],
            "code": {**({"coding": coding} if diagnosis.code else {}), "text": diagnosis.name},
            "subject": {"reference": f"Patient/{patient}"},
            "encounter": encounter,
            "recordedDate": instant(request.signed_at),
        }

    def medication(
        self, request: WritePrescription, number: int, drug: WriteDrug, patient: str, encounter: Json
    ) -> Json:
        """One line of the prescription."""
        return {
            "resourceType": "MedicationRequest",
            "identifier": [self.part(request.request_id, number)],
            "groupIdentifier": self._identifier(self.systems.prescription, request.number),
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": self._drug(drug),
            "subject": {"reference": f"Patient/{patient}"},
            "encounter": encounter,
            "authoredOn": instant(request.approved_at),
            "requester": self._practitioner(request.practitioner_code),
            "dosageInstruction": [
                {
                    "text": drug.dosage,
                    "route": {"coding": [{"system": self.systems.route, "code": drug.route_code}]},
                }
            ],
            "dispenseRequest": {
                "quantity": {"value": drug.quantity, "unit": drug.pack_unit},
                "expectedSupplyDuration": {
                    "value": drug.days,
                    "unit": "天",
                    "system": "http://unitsofmeasure.org",
                    "code": "d",
                },
            },
        }

    def dispense(self, request: WriteDispense, number: int, drug: WriteDrug, patient: str) -> Json:
        """Step 5, one drug: what left the pharmacy. The first has the request's own identifier."""
        own = self._request(request.request_id) if number == 0 else self.part(request.request_id, number)
        waybill = [self._identifier(self.systems.waybill, request.waybill)] if request.waybill else []
        return {
            "resourceType": "MedicationDispense",
            "identifier": [own, self._identifier(self.systems.prescription, request.number), *waybill],
            "status": "completed",
            "medicationCodeableConcept": self._drug(drug),
            "subject": {"reference": f"Patient/{patient}"},
            "quantity": {"value": drug.quantity, "unit": drug.pack_unit},
            "whenHandedOver": instant(request.handed_over_at),
            "dosageInstruction": [{"text": drug.dosage}],
        }

    def dispense_list(
        self, request: WriteDispense, patient: str, encounter: Json, content: bytes, digest: str
    ) -> Json:
        """Step 5 for a hospital without MedicationDispense: the list as a document."""
        return self._document(
            request.request_id,
            patient,
            encounter,
            loinc=("60593-1", "Medication dispensed"),
            title=f"发药单 {request.number}",
            content=content,
            digest=digest,
            at=instant(request.handed_over_at),
            author="",
        )

    def part(self, request_id: UUID, number: int) -> Json:
        """Identifier of the `number`th resource beside the main one."""
        return self._identifier(self.systems.request, f"{request_id}.{number}")

    def unresolved_encounter(self, appointment_id: UUID) -> Json:
        """A logical reference, for a visit whose registration the hospital does not have (yet)."""
        return {
            "type": "Encounter",
            "identifier": self._identifier(self.systems.appointment, str(appointment_id)),
        }

    def _document(
        self,
        request_id: UUID,
        patient: str,
        encounter: Json,
        *,
        loinc: tuple[str, str],
        title: str,
        content: bytes,
        digest: str,
        at: str,
        author: str,
    ) -> Json:
        code, display = loinc
        return {
            "resourceType": "DocumentReference",
            "identifier": [self._request(request_id), self._identifier(self.systems.digest, digest)],
            "status": "current",
            "docStatus": "final",
            "type": {"coding": [{"system": _LOINC, "code": code, "display": display}], "text": title},
            "subject": {"reference": f"Patient/{patient}"},
            "date": at,
            **({"author": [self._practitioner(author)]} if author else {}),
            "description": title,
            "content": [
                {
                    "attachment": {
                        "contentType": "application/json",
                        "data": base64.b64encode(content).decode(),
                        "size": len(content),
                        "title": title,
                        "creation": at,
                    }
                }
            ],
            "context": {"encounter": [encounter]},
        }

    def _drug(self, drug: WriteDrug) -> Json:
        return {
            "coding": [{"system": self.systems.drug, "code": drug.drug_code, "display": drug.name}],
            "text": drug.name,
        }

    def _practitioner(self, code: str) -> Json:
        return {"type": "Practitioner", "identifier": self._identifier(self.systems.practitioner, code)}

    def _request(self, request_id: UUID) -> Json:
        return self._identifier(self.systems.request, str(request_id))

    @staticmethod
    def _identifier(system: str, value: str) -> Json:
        return {"system": system, "value": value}
